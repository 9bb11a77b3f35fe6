import { addSample, rateOf, type RateSample } from '../lib/rate-meter'
import { jobEnded } from '../lib/states'
import type { Job } from './gen/llmd/v1/jobs_pb'
import type { Model } from './gen/llmd/v1/models_pb'
import type { Server } from './gen/llmd/v1/servers_pb'
import type { InfoResponse, Memory, SystemEvent, SystemSnapshot } from './gen/llmd/v1/system_pb'

/** Everything llmd has told us. Replaced, never changed in place. */
export interface World {
  info: InfoResponse | null
  memory: Memory | null
  models: ReadonlyMap<string, Model>
  servers: ReadonlyMap<string, Server>
  jobs: ReadonlyMap<string, Job>
  /** Of the jobs that run: what their transfer rate is measured from. */
  samples: ReadonlyMap<string, readonly RateSample[]>
}

export const emptyWorld: World = {
  info: null,
  memory: null,
  models: new Map(),
  servers: new Map(),
  jobs: new Map(),
  samples: new Map(),
}

/** The world after one event of System.Watch. */
export function applyEvent(world: World, event: SystemEvent['event'], nowMs: number): World {
  switch (event.case) {
    case 'snapshot':
      return fromSnapshot(world, event.value, nowMs)
    case 'model':
      return { ...world, models: withEntry(world.models, event.value.name, event.value) }
    case 'modelRemoved':
      return {
        ...world,
        models: without(world.models, event.value),
        servers: without(world.servers, event.value),
      }
    case 'server':
      return { ...world, servers: withEntry(world.servers, event.value.model, event.value) }
    case 'job':
      return {
        ...world,
        jobs: withEntry(world.jobs, event.value.id, event.value),
        samples: sampled(world.samples, event.value, nowMs),
      }
    case 'memory':
      return { ...world, memory: event.value }
    case undefined: // an event of a newer llmd
      return world
  }
}

/** A snapshot replaces everything: what is not in it is gone. */
function fromSnapshot(world: World, snapshot: SystemSnapshot, nowMs: number): World {
  return {
    info: snapshot.info ?? null,
    memory: snapshot.info?.memory ?? null,
    models: new Map(snapshot.models.map((model) => [model.name, model])),
    servers: new Map(snapshot.servers.map((server) => [server.model, server])),
    jobs: new Map(snapshot.jobs.map((job) => [job.id, job])),
    samples: snapshot.jobs.reduce<World['samples']>(
      (samples, job) => sampled(samples, job, nowMs),
      new Map([...world.samples].filter(([id]) => snapshot.jobs.some((job) => job.id === id))),
    ),
  }
}

function sampled(samples: World['samples'], job: Job, nowMs: number): World['samples'] {
  if (jobEnded(job.state)) return samples.has(job.id) ? without(samples, job.id) : samples
  const next = addSample(samples.get(job.id) ?? [], nowMs, Number(job.bytesDone))
  return withEntry(samples, job.id, next)
}

/** Bytes per second of a running job, or null. */
export function jobRate(world: World, id: string): number | null {
  return rateOf(world.samples.get(id) ?? [])
}

/** The state of a model's server: the newest word on it. */
export function serverState(world: World, model: Model): string {
  return world.servers.get(model.name)?.state ?? (model.serverState || 'stopped')
}

function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
  return new Map(map).set(key, value)
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}
