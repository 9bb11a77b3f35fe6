import { Code } from '@connectrpc/connect'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeLlmd, refusal } from '../testing/fake-llmd'
import { type Api, createApi } from './client'
import { follow } from './follow'
import type { JobEvent } from './gen/llmd/v1/jobs_pb'
import { Live } from './live'
import type { Problem } from './problem'

let fake: FakeLlmd
let api: Api
let live: Live
let abort: AbortController
let seen: JobEvent[]
let problems: (Problem | null)[]

beforeEach(() => {
  vi.useFakeTimers()
  fake = new FakeLlmd()
  api = createApi(fake.transport())
  live = new Live(api)
  abort = new AbortController()
  void live.run(abort.signal)
  seen = []
  problems = []
})

afterEach(() => {
  abort.abort()
  vi.useRealTimers()
})

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

function watchJob(signal = abort.signal) {
  return follow({
    live,
    open: (inner) =>
      api.jobs.watch({ id: 'j', afterSequence: seen.at(-1)?.sequence ?? 0n }, { signal: inner }),
    onItem: (event) => seen.push(event),
    onProblem: (problem) => problems.push(problem),
    signal,
  })
}

it('goes on behind the last event after llmd was away', async () => {
  fake.jobEvents.set('j', [{ sequence: 1n }, { sequence: 2n }])
  const following = watchJob()
  await settle()
  fake.die()
  await settle(20_000)
  expect(fake.opened.jobs).toBe(1)
  fake.jobEvents.set('j', [{ sequence: 1n }, { sequence: 2n }, { sequence: 3n }])
  fake.comeBack()
  await settle(10_000)
  fake.jobWatchers.get('j')?.close()
  await settle()
  await expect(following).resolves.toBe('ended')
  expect(seen.map((event) => Number(event.sequence))).toEqual([1, 2, 3])
  expect(problems.at(-1)).toBeNull()
})

it('stops at a refusal', async () => {
  await settle()
  const following = watchJob()
  await settle()
  fake.jobWatchers.get('j')?.close(refusal(Code.NotFound, 'job_not_found', 'There is no job j.'))
  await settle()
  await expect(following).resolves.toBe('refused')
  expect(problems.at(-1)?.message).toBe('There is no job j.')
})

it('closes its stream when aborted', async () => {
  const own = new AbortController()
  const following = watchJob(own.signal)
  await settle()
  own.abort()
  await settle()
  await expect(following).resolves.toBe('aborted')
})
