import type { Model, World } from '../../api'

/** The installed models that answer text with text, in order of name. */
export function talkers(world: Pick<World, 'models'>): Model[] {
  return [...world.models.values()]
    .filter((model) => model.state === 'installed' && talks(model))
    .sort((a, b) => a.name.localeCompare(b.name))
}

export function talks(model: Model): boolean {
  const capabilities = model.profile?.capabilities ?? []
  return capabilities.includes('chat') || capabilities.includes('completion')
}
