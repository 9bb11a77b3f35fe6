// The page over the tests' fake llmd, with something of everything: for working on how it looks.
//   npm run dev, then /dev/#/models; /dev/?away and /dev/?token show those states
import '../src/ui/styles'
import { Code, ConnectError } from '@connectrpc/connect'
import { createRoot } from 'react-dom/client'
import { createApi, createLlmd } from '../src/api'
import { App } from '../src/app'
import { createSession } from '../src/features/session'
import { fillWorld } from './world'
import { FakeLlmd } from '../src/testing/fake-llmd'

const fake = new FakeLlmd()
fillWorld(fake)
if (window.location.search === '?token') fake.die(new ConnectError('no', Code.Unauthenticated))
if (window.location.search === '?away') setTimeout(() => fake.die(), 600)

const api = createApi(fake.transport())
const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(<App llmd={createLlmd(api)} session={createSession(api)} />)
}
