import { type Model, serverState, type World } from '../../api'

/** The installed models that answer text with text, in order of name. */
export function talkers(world: Pick<World, 'models'>): Model[] {
  return [...world.models.values()]
    .filter((model) => model.state === 'installed' && talks(model))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** The one to begin with: a model that runs already, else the first. */
export function favourite(world: World): string | null {
  const able = talkers(world)
  const ready = able.find((model) => serverState(world, model) === 'ready')
  return (ready ?? able[0])?.name ?? null
}

export function talks(model: Model): boolean {
  const capabilities = model.profile?.capabilities ?? []
  return capabilities.includes('chat') || capabilities.includes('completion')
}
