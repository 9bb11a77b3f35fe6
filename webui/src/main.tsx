import './ui/styles'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { browserTransport, createApi, createLlmd, takeTokenFromAddress } from './api'
import { App } from './app'
import { createSession } from './features/session'

takeTokenFromAddress()

const api = createApi(browserTransport())
const llmd = createLlmd(api)
const session = createSession(api)

// The address of `llmctl dashboard`, pasted into a tab that is open already.
window.addEventListener('hashchange', () => {
  if (!takeTokenFromAddress()) return
  llmd.live.retry()
  window.dispatchEvent(new HashChangeEvent('hashchange'))
})

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App llmd={llmd} session={session} />
    </StrictMode>,
  )
}
