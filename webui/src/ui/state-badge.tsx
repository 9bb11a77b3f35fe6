import { lookOf } from '../lib/states'

/** A state as a coloured dot and its word. */
export function StateBadge({ state }: { state: string }) {
  const look = lookOf(state)
  return (
    <span className="state" data-tone={look.tone}>
      {look.word}
    </span>
  )
}
