import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect'
import { createGrpcWebTransport } from '@connectrpc/connect-web'
import { Agent } from './gen/llmd/v1/agent_pb'
import { Jobs } from './gen/llmd/v1/jobs_pb'
import { Models } from './gen/llmd/v1/models_pb'
import { Servers } from './gen/llmd/v1/servers_pb'
import { System } from './gen/llmd/v1/system_pb'
import { currentToken } from './token'

/** llmd's services, as this page uses them. */
export interface Api {
  agent: Client<typeof Agent>
  jobs: Client<typeof Jobs>
  models: Client<typeof Models>
  servers: Client<typeof Servers>
  system: Client<typeof System>
}

export function createApi(transport: Transport): Api {
  return {
    agent: createClient(Agent, transport),
    jobs: createClient(Jobs, transport),
    models: createClient(Models, transport),
    servers: createClient(Servers, transport),
    system: createClient(System, transport),
  }
}

const sendToken: Interceptor = (next) => (request) => {
  const token = currentToken()
  if (token !== null) request.header.set('Authorization', `Bearer ${token}`)
  return next(request)
}

/** gRPC-web to the llmd that served this page. */
export function browserTransport(): Transport {
  return createGrpcWebTransport({
    baseUrl: new URL('.', window.location.href).href.replace(/\/$/, ''),
    interceptors: [sendToken],
  })
}
