import { Code, ConnectError } from '@connectrpc/connect'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeLlmd } from '../testing/fake-llmd'
import { createApi } from './client'
import { Live, pauseAfterMs } from './live'

let fake: FakeLlmd
let live: Live
let abort: AbortController
let running: Promise<void>

beforeEach(() => {
  vi.useFakeTimers()
  fake = new FakeLlmd()
  abort = new AbortController()
  live = new Live(createApi(fake.transport()))
})

afterEach(async () => {
  abort.abort()
  await running
  vi.useRealTimers()
})

const status = () => live.store.get().connection.status
const names = () => [...live.store.get().world.models.keys()]
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

async function run() {
  running = live.run(abort.signal)
  await settle()
}

it('is live with the snapshot and follows changes', async () => {
  fake.putModel({ name: 'a/b' })
  expect(status()).toBe('connecting')
  await run()
  expect(status()).toBe('live')
  fake.putModel({ name: 'c/d' })
  await settle()
  expect(names()).toEqual(['a/b', 'c/d'])
})

it('says when llmd is away, keeps what it knew, and resynchronises', async () => {
  fake.putModel({ name: 'a/b' })
  await run()
  fake.die()
  await settle()
  expect(live.store.get().connection).toMatchObject({ status: 'away', attempt: 0 })
  expect(names()).toEqual(['a/b'])
  await settle(30_000)
  expect(status()).toBe('away')
  fake.removeModel('a/b')
  fake.putModel({ name: 'new/one' })
  fake.comeBack()
  await settle(10_000)
  expect(status()).toBe('live')
  expect(names()).toEqual(['new/one'])
})

it('waits longer and longer', async () => {
  fake.down = new ConnectError('refused', Code.Unavailable)
  await run()
  await settle(60_000)
  const calls = fake.calls.length
  expect(calls).toBeGreaterThan(6)
  expect(calls).toBeLessThan(22)
})

it('tries at once when asked', async () => {
  await run()
  fake.die()
  await settle(60_000)
  fake.comeBack()
  live.retry()
  await settle()
  expect(status()).toBe('live')
})

it('stops asking with a wrong token until there is another', async () => {
  fake.down = new ConnectError('no', Code.Unauthenticated)
  await run()
  expect(status()).toBe('token')
  await settle(600_000)
  expect(fake.calls.length).toBe(1)
  fake.comeBack()
  live.retry()
  await settle()
  expect(status()).toBe('live')
})

it('watches again without alarm when it was too slow', async () => {
  await run()
  const seen: string[] = []
  live.store.subscribe(() => seen.push(status()))
  fake.die(new ConnectError('fell behind', Code.ResourceExhausted))
  fake.comeBack()
  await settle(5000)
  expect(fake.opened.watch).toBe(2)
  expect(new Set(seen)).toEqual(new Set(['live']))
})

it('lets go of its connection in a hidden tab and takes it up again', async () => {
  await run()
  let visible: DocumentVisibilityState = 'hidden'
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visible)
  const detach = live.attach(document)
  document.dispatchEvent(new Event('visibilitychange'))
  await settle(pauseAfterMs + 1)
  expect(status()).toBe('paused')
  fake.putModel({ name: 'mean/while' })
  await settle(600_000)
  expect(fake.opened.watch).toBe(1)
  visible = 'visible'
  document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  expect(status()).toBe('live')
  expect(names()).toEqual(['mean/while'])
  detach()
})

it('ends when aborted', async () => {
  await run()
  abort.abort()
  await expect(running).resolves.toBeUndefined()
})
