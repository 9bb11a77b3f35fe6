/** What a log view holds: whole lines, the beginning of the next one, and what was let go. */
export interface LogLines {
  lines: readonly string[]
  /** Text after the last newline. */
  partial: string
  /** Lines dropped from the top to stay below the cap. */
  dropped: number
}

export const emptyLog: LogLines = { lines: [], partial: '', dropped: 0 }

const maxLines = 5000
const maxLineLength = 4000

// Escape sequences of terminals: colours, cursor movement, window titles.
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g

/** The log after more text; never more than the cap, whatever a server writes. */
export function appendText(log: LogLines, text: string, cap: number = maxLines): LogLines {
  const pieces = (log.partial + text).split('\n')
  const partial = (pieces.pop() ?? '').slice(-4 * maxLineLength)
  const lines = pieces.length === 0 ? log.lines : [...log.lines, ...pieces.map(cleanLine)]
  const excess = Math.max(0, lines.length - cap)
  return {
    lines: excess === 0 ? lines : lines.slice(excess),
    partial,
    dropped: log.dropped + excess,
  }
}

/** One line as a terminal would leave it: progress bars overwrite themselves. */
export function cleanLine(line: string): string {
  const withoutEnd = line.endsWith('\r') ? line.slice(0, -1) : line
  const visible = withoutEnd.slice(withoutEnd.lastIndexOf('\r') + 1)
  const clean = visible.replace(escapes, '').replace(controls, '')
  return clean.length > maxLineLength ? `${clean.slice(0, maxLineLength)} …` : clean
}

/** Everything to show, with a line that is still being written. */
export function visibleLines(log: LogLines): readonly string[] {
  return log.partial === '' ? log.lines : [...log.lines, cleanLine(log.partial)]
}
