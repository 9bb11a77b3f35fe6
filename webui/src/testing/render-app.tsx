import { MantineProvider } from '@mantine/core'
import { render, type RenderResult } from '@testing-library/react'
import type { ReactNode } from 'react'
import { createApi, createLlmd, LlmdProvider } from '../api'
import { App } from '../app'
import { createSession, SessionProvider } from '../features/session'
import type { FakeLlmd } from './fake-llmd'

/** The whole page over a fake llmd, at an address such as '#/jobs'. */
export function renderApp(fake: FakeLlmd, hash = '#/models'): RenderResult {
  window.location.hash = hash
  const api = createApi(fake.transport())
  return render(<App llmd={createLlmd(api)} session={createSession(api)} />)
}

/** One view with everything that it may ask for. */
export function renderView(fake: FakeLlmd, view: ReactNode): RenderResult {
  const api = createApi(fake.transport())
  return render(
    <MantineProvider env="test">
      <LlmdProvider llmd={createLlmd(api)}>
        <SessionProvider session={createSession(api)}>{view}</SessionProvider>
      </LlmdProvider>
    </MantineProvider>,
  )
}
