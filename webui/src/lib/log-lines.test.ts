import { describe, expect, it } from 'vitest'
import { appendText, cleanLine, emptyLog, visibleLines } from './log-lines'

describe('appendText', () => {
  it('joins lines that arrive in pieces', () => {
    const log = ['load', 'ing\nrea', 'dy\n'].reduce(
      (sofar, text) => appendText(sofar, text),
      emptyLog,
    )
    expect(log).toEqual({ lines: ['loading', 'ready'], partial: '', dropped: 0 })
  })

  it('shows the line that is being written', () => {
    expect(visibleLines(appendText(emptyLog, 'one\ntw'))).toEqual(['one', 'tw'])
  })

  it('keeps the newest lines below the cap and counts the rest', () => {
    let log = appendText(emptyLog, '1\n2\n3\n', 4)
    log = appendText(log, '4\n5\n6\n', 4)
    expect(log.lines).toEqual(['3', '4', '5', '6'])
    expect(log.dropped).toBe(2)
  })

  it('does not grow with a line that never ends', () => {
    let log = emptyLog
    for (let i = 0; i < 100; i += 1) log = appendText(log, 'x'.repeat(10_000))
    expect(log.partial.length).toBeLessThan(20_000)
  })
})

describe('cleanLine', () => {
  it.each([
    ['\x1b[32mINFO\x1b[0m: ready', 'INFO: ready'],
    ['10 %\r50 %\r100 %', '100 %'],
    ['windows line\r', 'windows line'],
    ['\x1b]0;title\x07text', 'text'],
    ['bell\x07 and nul\x00', 'bell and nul'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('%j is %j', (raw, clean) => {
    expect(cleanLine(raw)).toBe(clean)
  })
})
