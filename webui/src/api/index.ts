// What the features may import. The generated client stays in this folder.
export type { Action } from './actions'
export { type Api, browserTransport, createApi } from './client'
export {
  createLlmd,
  type Llmd,
  LlmdProvider,
  useAction,
  useConnection,
  useLlmd,
  useStore,
  useWorld,
} from './context'
export { follow } from './follow'
export type { Connection } from './live'
export { jobRate, serverState, type World } from './live-state'
export { type Problem, toProblem } from './problem'
export { Store } from './store'
export { cleanToken, storeToken, takeTokenFromAddress } from './token'
export type { GenerationChunk, SamplingOptions } from './gen/llmd/v1/agent_pb'
export type { Job, JobEvent } from './gen/llmd/v1/jobs_pb'
export type { CheckResponse, Model } from './gen/llmd/v1/models_pb'
export type { ModelProfile } from './gen/llmd/v1/profile_pb'
export type { Server } from './gen/llmd/v1/servers_pb'
export type { InfoResponse, Machine, Memory } from './gen/llmd/v1/system_pb'
