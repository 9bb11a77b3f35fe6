import { MantineProvider } from '@mantine/core'
import { type Llmd, LlmdProvider } from './api'
import { ChatPage } from './features/chat/chat-page'
import { JobPage } from './features/jobs/job-page'
import { JobsPage } from './features/jobs/jobs-page'
import { LogsPage } from './features/logs/logs-page'
import { ModelsPage } from './features/models/models-page'
import { type Session, SessionProvider } from './features/session'
import { Shell } from './features/shell/shell'
import { SystemPage } from './features/system/system-page'
import { theme } from './ui/theme'
import { useRoute } from './ui/use-route'

/** The whole page, over an llmd and what this tab has under way. */
export function App({ llmd, session }: { llmd: Llmd; session: Session }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <LlmdProvider llmd={llmd}>
        <SessionProvider session={session}>
          <Shell>
            <CurrentPage />
          </Shell>
        </SessionProvider>
      </LlmdProvider>
    </MantineProvider>
  )
}

function CurrentPage() {
  const route = useRoute()
  switch (route.page) {
    case 'models':
      return <ModelsPage />
    case 'chat':
      return <ChatPage model={route.model} />
    case 'jobs':
      return <JobsPage />
    case 'job':
      return <JobPage key={route.id} id={route.id} />
    case 'logs':
      return <LogsPage key={route.model} model={route.model} />
    case 'system':
      return <SystemPage />
  }
}
