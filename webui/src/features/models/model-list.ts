import { type Job, type Model, type Server, serverState, type World } from '../../api'
import { jobEnded, lookOf } from '../../lib/states'

/** One line of the list: a model, or an installation that has no model yet. */
export interface ModelRow {
  name: string
  model: Model | null
  server: Server | null
  /** What is being done to it: installing, removing. */
  job: Job | null
  /** The one word that matters most. */
  state: string
}

/** Models and installations under way, by name. */
export function modelRows(world: World): ModelRow[] {
  const jobs = new Map<string, Job>()
  for (const job of world.jobs.values()) {
    if (!jobEnded(job.state)) jobs.set(job.subject, job)
  }
  const rows = [...world.models.values()].map((model): ModelRow => {
    const job = jobs.get(model.name) ?? jobs.get(model.profile?.repoId ?? '') ?? null
    if (job !== null) jobs.delete(job.subject)
    const server = world.servers.get(model.name) ?? null
    return { name: model.name, model, server, job, state: rowState(world, model, job) }
  })
  for (const [name, job] of jobs) {
    if (job.kind === 'install') {
      rows.push({ name, model: null, server: null, job, state: 'installing' })
    }
  }
  return rows.sort((a, b) => a.name.localeCompare(b.name))
}

function rowState(world: World, model: Model, job: Job | null): string {
  if (job?.kind === 'remove') return 'removing'
  if (model.state !== 'installed') return model.state
  return serverState(world, model)
}

/** How many model servers answer; for the navigation. */
export function readyCount(world: World): number {
  return [...world.models.values()].filter(
    (model) => lookOf(serverState(world, model)).tone === 'good',
  ).length
}
