/** How a state looks and reads. `tone` is a colour by meaning; the word is always shown too. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle'

export interface StateLook {
  word: string
  tone: Tone
}

const looks: Record<string, StateLook> = {
  // models
  installing: { word: 'Installing', tone: 'busy' },
  installed: { word: 'Installed', tone: 'idle' },
  broken: { word: 'Broken', tone: 'bad' },
  removing: { word: 'Removing', tone: 'busy' },
  // servers
  stopped: { word: 'Stopped', tone: 'idle' },
  starting: { word: 'Starting', tone: 'busy' },
  ready: { word: 'Ready', tone: 'good' },
  draining: { word: 'Finishing', tone: 'busy' },
  stopping: { word: 'Stopping', tone: 'busy' },
  failed: { word: 'Failed', tone: 'bad' },
  crash_loop: { word: 'Keeps crashing', tone: 'bad' },
  // jobs
  queued: { word: 'Waiting', tone: 'idle' },
  running: { word: 'Running', tone: 'busy' },
  cancelling: { word: 'Cancelling', tone: 'busy' },
  succeeded: { word: 'Done', tone: 'good' },
  cancelled: { word: 'Cancelled', tone: 'idle' },
}

export function lookOf(state: string): StateLook {
  return looks[state] ?? { word: state === '' ? 'Unknown' : state, tone: 'idle' }
}

const endedJob = new Set(['succeeded', 'failed', 'cancelled'])

export function jobEnded(state: string): boolean {
  return endedJob.has(state)
}

/** Whether a server holds, or is about to hold, memory. */
export function serverUp(state: string): boolean {
  return ['starting', 'ready', 'draining', 'stopping'].includes(state)
}
