import { useEffect, useState } from 'react'
import { follow, type Problem, useLlmd } from '../../api'
import { appendText, emptyLog, type LogLines } from '../../lib/log-lines'

const tailLines = 500

/** Follows a server's log. After a break the tail is fetched anew: a log has no numbers. */
export function useServerLog(model: string): { log: LogLines; problem: Problem | null } {
  const { api, live } = useLlmd()
  const [log, setLog] = useState(emptyLog)
  const [problem, setProblem] = useState<Problem | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    let latest = emptyLog
    void follow({
      live,
      open: (signal) => {
        latest = emptyLog
        return api.servers.logs({ model, tailLines, follow: true }, { signal })
      },
      onItem: (chunk) => {
        latest = appendText(latest, chunk.text)
        setLog(latest)
      },
      onProblem: setProblem,
      signal: abort.signal,
    })
    return () => abort.abort()
  }, [api, live, model])
  return { log, problem }
}
