import { backoffMs, sleep } from '../lib/backoff'
import type { Live } from './live'
import { type Problem, toProblem } from './problem'

export interface FollowOptions<T> {
  live: Live
  /** Opens the stream, from where the last one broke off. */
  open: (signal: AbortSignal) => AsyncIterable<T>
  onItem: (item: T) => void
  /** The stream broke (a problem) or flows again (null). */
  onProblem: (problem: Problem | null) => void
  signal: AbortSignal
}

/**
 * Reads a server stream to its end. While llmd is away it waits for the page's event stream to
 * come back, then opens it again. Returns at the end of the stream, at a refusal, or when aborted.
 */
export async function follow<T>(
  options: FollowOptions<T>,
): Promise<'ended' | 'refused' | 'aborted'> {
  const { live, open, onItem, onProblem, signal } = options
  const ended = () => signal.aborted
  for (let attempt = 0; ; attempt += 1) {
    await live.untilLive(signal)
    if (ended()) return 'aborted'
    try {
      let first = true
      for await (const item of open(signal)) {
        if (first) onProblem(null)
        first = false
        attempt = 0
        onItem(item)
      }
      return 'ended'
    } catch (error) {
      const problem = toProblem(error)
      if (ended()) return 'aborted'
      onProblem(problem)
      if (problem.kind === 'refused' || problem.kind === 'token') return 'refused'
      await sleep(backoffMs(attempt), signal)
    }
  }
}
