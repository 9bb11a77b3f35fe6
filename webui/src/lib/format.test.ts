import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatTime, percent, plural } from './format'

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [98_305_024n, '93.8 MiB'],
    [1_048_576, '1.0 MiB'],
    [5_300_000_000n, '4.9 GiB'],
    [25_276_502_016n, '23.5 GiB'],
    [269_060_552, '256.6 MiB'],
  ])('%s is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe('formatDuration', () => {
  it.each([
    [0.2, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [7500, '2 h 5 min'],
    [270_000, '3 d 3 h'],
    [-5, '0 s'],
  ])('%s is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })
})

describe('formatCount', () => {
  it.each([
    [596_049_920n, '596 M'],
    [134_515_008, '135 M'],
    [7_615_616_512, '7.6 B'],
    [1_000_000, '1 M'],
    [40_960, '41 K'],
    [512, '512'],
  ])('%s is %s', (count, text) => {
    expect(formatCount(count)).toBe(text)
  })
})

it('shows the day only for another day', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  expect(formatTime('2026-03-01T12:00:01Z', now)).not.toContain('2026')
  expect(formatTime('2025-12-24T12:00:01Z', now)).toContain('2025')
  expect(formatTime('soon', now)).toBe('soon')
})

it('never says 100 % before the end', () => {
  expect(percent(0.999)).toBe('99 %')
  expect(percent(1)).toBe('100 %')
})

it('counts things', () => {
  expect(plural(1, 'file')).toBe('1 file')
  expect(plural(1200n, 'file')).toBe('1,200 files')
})
