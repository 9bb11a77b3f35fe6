import { expect, it, vi } from 'vitest'
import { backoffMs, sleep } from './backoff'

it('doubles up to a cap', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, 1))).toEqual([
    400, 800, 1600, 3200, 6400, 8000, 8000,
  ])
})

it('spreads over the upper half', () => {
  expect(backoffMs(2, 0)).toBe(800)
  expect(backoffMs(2, 0.5)).toBe(1200)
})

it('stops waiting when aborted', async () => {
  vi.useFakeTimers()
  const abort = new AbortController()
  const waiting = sleep(1_000_000, abort.signal)
  abort.abort()
  await waiting
  expect(vi.getTimerCount()).toBe(0)
  await sleep(1_000_000, abort.signal)
  vi.useRealTimers()
})
