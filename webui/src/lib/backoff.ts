const firstMs = 400
const longestMs = 8000

/**
 * How long to wait before the next attempt: doubling, capped, and spread by `random` (0..1) over
 * the upper half, so that several open pages do not return at the same instant.
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10))
  return Math.round(full * (0.5 + random / 2))
}

/** Waits, or returns early when `signal` aborts. Never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
