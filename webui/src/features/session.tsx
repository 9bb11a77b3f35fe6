import { createContext, type ReactNode, use } from 'react'
import type { Api } from '../api'
import { Chats } from './chat/chats'
import { InstallState } from './install/install-state'

/** What people have under way in this tab; it survives going from page to page. */
export interface Session {
  chats: Chats
  install: InstallState
}

export function createSession(api: Api): Session {
  return { chats: new Chats(api), install: new InstallState(api) }
}

const SessionContext = createContext<Session | null>(null)

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>
}

export function useSession(): Session {
  const session = use(SessionContext)
  if (session === null) throw new Error('there is no SessionProvider above this component')
  return session
}
