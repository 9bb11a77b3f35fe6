/** Transfer rate over the last seconds, from byte counts as they arrive. Immutable. */
export interface RateSample {
  atMs: number
  bytes: number
}

const windowMs = 6000

/** The samples to keep after a new count; a count that went back starts anew. */
export function addSample(
  samples: readonly RateSample[],
  atMs: number,
  bytes: number,
): readonly RateSample[] {
  const last = samples.at(-1)
  if (last !== undefined && bytes < last.bytes) return [{ atMs, bytes }]
  return [...samples.filter((sample) => atMs - sample.atMs <= windowMs), { atMs, bytes }]
}

/** Bytes per second, or null while there is too little to go by. */
export function rateOf(samples: readonly RateSample[]): number | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return null
  const elapsed = last.atMs - first.atMs
  if (elapsed < 250 || last.bytes === first.bytes) return null
  return ((last.bytes - first.bytes) * 1000) / elapsed
}
