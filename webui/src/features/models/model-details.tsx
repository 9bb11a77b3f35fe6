import type { Model, Server } from '../../api'
import { formatBytes, formatTime, plural } from '../../lib/format'
import { serverUp } from '../../lib/states'
import { Facts } from '../../ui/facts'

/** The facts of an installed model and of its server. */
export function ModelDetails({ model, server }: { model: Model; server: Server | null }) {
  const { profile } = model
  const running = server !== null && serverUp(server.state) ? server : null
  return (
    <Facts
      facts={[
        ['Architecture', profile?.architecture],
        ['Context', profile?.contextLength && plural(profile.contextLength, 'token')],
        ['Capabilities', profile?.capabilities.join(', ')],
        ['Licence', profile?.license],
        ['Also called', model.aliases.join(', ')],
        ['Revision', profile?.revision],
        ['Folder', model.path],
        ['Installed', formatTime(model.installedAt)],
        ['Memory', memory(running)],
        ['Process', running?.pid && String(running.pid)],
        ['Address', running?.endpoint],
        ['Started', running && formatTime(running.startedAt)],
        ['Last used', running && formatTime(running.lastUsedAt)],
        ['Requests now', running && String(running.inFlight)],
      ]}
    />
  )
}

function memory(server: Server | null): string {
  if (server === null) return ''
  const used = server.memoryBytes > 0n ? `${formatBytes(server.memoryBytes)} used, ` : ''
  return `${used}${formatBytes(server.reservedBytes)} reserved`
}
