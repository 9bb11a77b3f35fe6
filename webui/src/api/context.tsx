import { createContext, type ReactNode, use, useEffect, useSyncExternalStore } from 'react'
import { type Action, Actions } from './actions'
import type { Api } from './client'
import { type Connection, Live } from './live'
import type { World } from './live-state'
import type { Store } from './store'

/** What every feature may use. Made once per page. */
export interface Llmd {
  api: Api
  live: Live
  actions: Actions
}

export function createLlmd(api: Api): Llmd {
  return { api, live: new Live(api), actions: new Actions() }
}

const LlmdContext = createContext<Llmd | null>(null)

/** Gives the features their llmd and keeps its event stream open while mounted. */
export function LlmdProvider({ llmd, children }: { llmd: Llmd; children: ReactNode }) {
  useEffect(() => {
    const abort = new AbortController()
    const detach = llmd.live.attach(document)
    void llmd.live.run(abort.signal)
    return () => {
      detach()
      abort.abort()
    }
  }, [llmd])
  return <LlmdContext value={llmd}>{children}</LlmdContext>
}

export function useLlmd(): Llmd {
  const llmd = use(LlmdContext)
  if (llmd === null) throw new Error('there is no LlmdProvider above this component')
  return llmd
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}

export function useWorld(): World {
  return useStore(useLlmd().live.store).world
}

export function useConnection(): Connection {
  return useStore(useLlmd().live.store).connection
}

export function useAction(key: string): Action {
  const { actions } = useLlmd()
  useStore(actions.store)
  return actions.of(key)
}
