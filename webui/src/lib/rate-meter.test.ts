import { expect, it } from 'vitest'
import { addSample, rateOf, type RateSample } from './rate-meter'

function feed(...points: [number, number][]): readonly RateSample[] {
  return points.reduce<readonly RateSample[]>(
    (samples, [atMs, bytes]) => addSample(samples, atMs, bytes),
    [],
  )
}

it('says nothing from one sample or from none', () => {
  expect(rateOf([])).toBeNull()
  expect(rateOf(feed([0, 100]))).toBeNull()
})

it('is bytes per second', () => {
  expect(rateOf(feed([0, 0], [500, 1000], [1000, 2000]))).toBe(2000)
})

it('forgets what is older than its window', () => {
  expect(rateOf(feed([0, 0], [10_000, 1_000_000], [11_000, 1_001_000]))).toBe(1000)
})

it('starts anew when the count goes back, as at the next attempt', () => {
  expect(rateOf(feed([0, 5000], [1000, 9000], [2000, 0], [3000, 700]))).toBe(700)
})
