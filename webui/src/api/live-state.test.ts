import { create } from '@bufbuild/protobuf'
import { expect, it } from 'vitest'
import { JobSchema } from './gen/llmd/v1/jobs_pb'
import { ModelSchema } from './gen/llmd/v1/models_pb'
import { ServerSchema } from './gen/llmd/v1/servers_pb'
import { SystemSnapshotSchema } from './gen/llmd/v1/system_pb'
import { applyEvent, emptyWorld, jobRate, serverState, type World } from './live-state'

function snapshot(
  models: string[],
  jobs: { id: string; bytesDone?: bigint; state?: string }[] = [],
) {
  const value = create(SystemSnapshotSchema, {
    info: { version: '0.1.0', memory: { capacityBytes: 100n } },
    models: models.map((name) => ({ name })),
    jobs: jobs.map((job) => ({ state: 'running', ...job })),
  })
  return { case: 'snapshot', value } as const
}

function job(id: string, bytesDone: bigint, state = 'running') {
  return { case: 'job', value: create(JobSchema, { id, bytesDone, state }) } as const
}

it('begins with a snapshot', () => {
  const world = applyEvent(emptyWorld, snapshot(['a/b', 'c/d']), 0)
  expect([...world.models.keys()]).toEqual(['a/b', 'c/d'])
  expect(world.memory?.capacityBytes).toBe(100n)
})

it('forgets what a later snapshot does not have', () => {
  let world = applyEvent(emptyWorld, snapshot(['a/b', 'c/d'], [{ id: 'j1' }]), 0)
  world = applyEvent(world, snapshot(['c/d']), 1000)
  expect([...world.models.keys()]).toEqual(['c/d'])
  expect(world.jobs.size).toBe(0)
  expect(world.samples.size).toBe(0)
})

it('follows changes without touching the old state', () => {
  const before = applyEvent(emptyWorld, snapshot(['a/b']), 0)
  const ready = create(ServerSchema, { model: 'a/b', state: 'ready' })
  let after: World = applyEvent(before, { case: 'server', value: ready }, 0)
  const model = after.models.get('a/b') ?? create(ModelSchema)
  expect(serverState(before, model)).toBe('stopped')
  expect(serverState(after, model)).toBe('ready')
  after = applyEvent(after, { case: 'modelRemoved', value: 'a/b' }, 0)
  expect(after.models.size + after.servers.size).toBe(0)
  expect(before.models.size).toBe(1)
})

it('measures the rate of a job until it ends', () => {
  let world = applyEvent(emptyWorld, job('j', 0n), 0)
  world = applyEvent(world, job('j', 3000n), 1000)
  expect(jobRate(world, 'j')).toBe(3000)
  world = applyEvent(world, job('j', 3000n, 'succeeded'), 1100)
  expect(jobRate(world, 'j')).toBeNull()
  expect(world.samples.size).toBe(0)
})

it('ignores an event that it does not know', () => {
  expect(applyEvent(emptyWorld, { case: undefined }, 0)).toBe(emptyWorld)
})
