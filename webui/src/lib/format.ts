// Numbers as people read them. 64-bit fields arrive as bigint; sizes below 2^53 are exact.

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** As llmctl says them: 1.2 GiB. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes)
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${byteUnits[unit] ?? ''}`
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

/** 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return join(minutes, 'min', whole % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return join(hours, 'h', minutes % 60, 'min')
  return join(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** 596,049,920 parameters are "596 M". */
export function formatCount(count: number | bigint): string {
  const value = Number(count)
  const steps: [number, string][] = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ]
  for (const [size, letter] of steps) {
    if (value >= size * 0.9995) {
      const scaled = value / size
      return `${scaled.toFixed(scaled >= 99.95 ? 0 : 1).replace(/\.0$/, '')} ${letter}`
    }
  }
  return String(value)
}

/** An RFC 3339 time in the reader's own zone; what is no time is shown as it came. */
export function formatTime(rfc3339: string, now: Date = new Date()): string {
  const time = new Date(rfc3339)
  if (rfc3339 === '' || Number.isNaN(time.getTime())) return rfc3339
  const clock = time.toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  if (time.toDateString() === now.toDateString()) return clock
  const day = time.toLocaleDateString(undefined, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
  })
  return `${day}, ${clock}`
}

export function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)} %`
}

/** "1 file", "2 files". */
export function plural(count: number | bigint, one: string, many = `${one}s`): string {
  return `${Number(count).toLocaleString('en-US')} ${Number(count) === 1 ? one : many}`
}
