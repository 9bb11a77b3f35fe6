import { expect, it } from 'vitest'
import { segments } from './segments'

it('leaves plain text alone', () => {
  expect(segments('Paris.\n\nIt is <b>big</b>.')).toEqual([
    { kind: 'text', text: 'Paris.\n\nIt is <b>big</b>.', language: '' },
  ])
})

it('finds code between text', () => {
  expect(segments('Try:\n```python\nprint(1)\n\nprint(2)\n```\nDone.')).toEqual([
    { kind: 'text', text: 'Try:', language: '' },
    { kind: 'code', text: 'print(1)\n\nprint(2)', language: 'python' },
    { kind: 'text', text: 'Done.', language: '' },
  ])
})

it('shows a block that has not ended yet', () => {
  expect(segments('```\nlet x')).toEqual([{ kind: 'code', text: 'let x', language: '' }])
})

it('has nothing to show for nothing', () => {
  expect(segments('')).toEqual([])
})
