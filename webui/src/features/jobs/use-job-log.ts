import { useEffect, useState } from 'react'
import { follow, type Problem, useLlmd } from '../../api'
import { addJobEvent, emptyJobLog, type JobLog } from './job-log'

/** Follows a job from its first event; after a break it goes on behind the last one it saw. */
export function useJobLog(id: string): { log: JobLog; problem: Problem | null } {
  const { api, live } = useLlmd()
  const [log, setLog] = useState(emptyJobLog)
  const [problem, setProblem] = useState<Problem | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    let latest = emptyJobLog
    void follow({
      live,
      open: (signal) => api.jobs.watch({ id, afterSequence: latest.lastSequence }, { signal }),
      onItem: (event) => {
        latest = addJobEvent(latest, event)
        setLog(latest)
      },
      onProblem: setProblem,
      signal: abort.signal,
    })
    return () => abort.abort()
  }, [api, live, id])
  return { log, problem }
}
