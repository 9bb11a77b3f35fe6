import type { Job, JobEvent } from '../../api'

/** A job's durable events, in order, each once; and the job as it now is. */
export interface JobLog {
  events: readonly JobEvent[]
  /** The newest durable event: where to go on after a break. */
  lastSequence: bigint
  job: Job | null
  dropped: number
}

export const emptyJobLog: JobLog = { events: [], lastSequence: 0n, job: null, dropped: 0 }

const cap = 2000

/** The log after one more event. Progress (sequence 0) only changes the job. */
export function addJobEvent(log: JobLog, event: JobEvent): JobLog {
  const job = event.job ?? log.job
  if (event.sequence === 0n) return { ...log, job }
  if (event.sequence <= log.lastSequence) return log
  const events = [...log.events, event]
  const excess = Math.max(0, events.length - cap)
  return {
    events: excess === 0 ? events : events.slice(excess),
    lastSequence: event.sequence,
    job,
    dropped: log.dropped + excess,
  }
}
