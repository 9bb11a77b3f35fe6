import { expect, it } from 'vitest'
import { parseSource } from './source'

it.each([
  ['Qwen/Qwen3-0.6B', 'Qwen/Qwen3-0.6B', ''],
  ['  Qwen/Qwen3-0.6B\n', 'Qwen/Qwen3-0.6B', ''],
  ['Qwen/Qwen3-0.6B@v2', 'Qwen/Qwen3-0.6B', 'v2'],
  ['https://huggingface.co/Qwen/Qwen3-0.6B', 'Qwen/Qwen3-0.6B', ''],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/tree/main?x=1#y', 'Qwen/Qwen3-0.6B', 'main'],
  ['hf.co/Qwen/Qwen3-0.6B', 'Qwen/Qwen3-0.6B', ''],
  ['/srv/models/my model@2', '/srv/models/my model@2', ''],
])('reads %j', (typed, repoId, revision) => {
  expect(parseSource(typed)).toEqual({ ok: true, repoId, revision })
})

it.each([
  ['', 'Type'],
  ['gpt2', 'org/name'],
  ['a/b/c', 'org/name'],
  ['../up', 'whole path'],
  ['~/models/x', 'whole path'],
  ['./x', 'whole path'],
  ['https://huggingface.co/datasets/a/b', 'datasets'],
  ['a b/c', 'org/name'],
])('refuses %j', (typed, hint) => {
  const source = parseSource(typed)
  expect(source.ok ? '' : source.message).toContain(hint)
})
