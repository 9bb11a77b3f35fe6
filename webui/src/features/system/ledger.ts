import type { World } from '../../api'

export interface LedgerEntry {
  name: string
  bytes: number
  /** Of the capacity, 0..1. */
  share: number
}

export interface Ledger {
  capacity: number
  reserved: number
  free: number
  entries: LedgerEntry[]
}

/** The memory ledger, by server; largest first. Null until llmd has said it. */
export function ledger(world: Pick<World, 'memory' | 'servers'>): Ledger | null {
  if (world.memory === null) return null
  const capacity = Number(world.memory.capacityBytes)
  const reserved = Number(world.memory.reservedBytes)
  const entries = [...world.servers.values()]
    .filter((server) => server.reservedBytes > 0n)
    .map((server) => ({ name: server.model, bytes: Number(server.reservedBytes), share: 0 }))
    .sort((a, b) => b.bytes - a.bytes)
  for (const entry of entries) entry.share = capacity > 0 ? Math.min(1, entry.bytes / capacity) : 0
  return { capacity, reserved, free: Math.max(0, capacity - reserved), entries }
}
