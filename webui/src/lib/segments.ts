/** A piece of a model's answer: running text, or a fenced block of code. Both are shown as text. */
export interface Segment {
  kind: 'text' | 'code'
  text: string
  /** What stands after the opening fence. */
  language: string
}

const fence = /^ {0,3}```(.*)$/

/** Splits at fences; a block that is still open (streaming) is code already. */
export function segments(answer: string): Segment[] {
  const result: Segment[] = []
  let current: Segment = { kind: 'text', text: '', language: '' }
  const push = () => {
    const text = current.kind === 'text' ? current.text.replace(/^\n+|\n+$/g, '') : current.text
    if (text !== '' || current.kind === 'code') result.push({ ...current, text })
  }
  for (const line of answer.split('\n')) {
    const opening = fence.exec(line)
    const closes = current.kind === 'code' && line.trim() === '```'
    if (closes || (current.kind === 'text' && opening !== null)) {
      push()
      current = closes
        ? { kind: 'text', text: '', language: '' }
        : { kind: 'code', text: '', language: (opening?.[1] ?? '').trim().slice(0, 32) }
    } else {
      current.text += current.text === '' && current.kind === 'code' ? line : `\n${line}`
    }
  }
  push()
  return result
}
