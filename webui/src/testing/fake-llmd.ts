import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  Code,
  ConnectError,
  createRouterTransport,
  type HandlerContext,
  type Transport,
} from '@connectrpc/connect'
import { Agent, type ChatRequest, GenerationChunkSchema } from '../api/gen/llmd/v1/agent_pb'
import { ErrorSchema, type Job, Jobs, JobEventSchema, JobSchema } from '../api/gen/llmd/v1/jobs_pb'
import {
  type CheckRequest,
  CheckResponseSchema,
  type InstallRequest,
  type Model,
  Models,
  ModelSchema,
  type RemoveRequest,
} from '../api/gen/llmd/v1/models_pb'
import { LogChunkSchema, type Server, Servers, ServerSchema } from '../api/gen/llmd/v1/servers_pb'
import {
  type InfoResponse,
  InfoResponseSchema,
  System,
  SystemEventSchema,
  SystemSnapshotSchema,
} from '../api/gen/llmd/v1/system_pb'
import { Channel } from './channel'

type EventInit = MessageInitShape<typeof SystemEventSchema>
type JobEventInit = MessageInitShape<typeof JobEventSchema>
type ChunkInit = MessageInitShape<typeof GenerationChunkSchema>
type LogInit = MessageInitShape<typeof LogChunkSchema>

/** An error as llmd sends it: a code, and our Error in the details. */
export function refusal(code: Code, name: string, message: string, nextStep = ''): ConnectError {
  const value = create(ErrorSchema, { code: name, message, nextStep })
  return new ConnectError(message, code, undefined, [{ desc: ErrorSchema, value }])
}

/**
 * An llmd in memory, for tests: the services over Connect's in-memory transport, a world that a
 * test changes, and every call recorded. It decides nothing by itself.
 */
export class FakeLlmd {
  info: InfoResponse = create(InfoResponseSchema, { version: '0.1.0' })
  models = new Map<string, Model>()
  servers = new Map<string, Server>()
  jobs = new Map<string, Job>()
  jobEvents = new Map<string, JobEventInit[]>()
  /** Thrown by every call while set. */
  down: ConnectError | null = null

  readonly calls: { method: string; request: unknown }[] = []
  readonly opened: Record<'watch' | 'jobs' | 'logs' | 'chat', number> = {
    watch: 0,
    jobs: 0,
    logs: 0,
    chat: 0,
  }

  /** Replace to answer; the defaults refuse. */
  onCheck: (request: CheckRequest) => MessageInitShape<typeof CheckResponseSchema> = () => {
    throw refusal(Code.NotFound, 'repository_not_found', 'There is no such repository.', 'Look.')
  }
  onInstall: (request: InstallRequest) => MessageInitShape<typeof JobSchema> = () => {
    throw refusal(Code.Internal, 'internal', 'no answer prepared')
  }
  onRemove: (request: RemoveRequest) => MessageInitShape<typeof JobSchema> = () => {
    throw refusal(Code.Internal, 'internal', 'no answer prepared')
  }
  onStart = (model: string): Promise<MessageInitShape<typeof ServerSchema>> =>
    Promise.resolve({ model, state: 'ready' })
  onChat: (request: ChatRequest, chat: Channel<ChunkInit>) => void = (_, chat) => {
    chat.close()
  }

  private readonly watchers = new Set<Channel<EventInit>>()
  private readonly streams = new Set<Channel<never>>()
  readonly jobWatchers = new Map<string, Channel<JobEventInit>>()
  readonly logWatchers = new Map<string, Channel<LogInit>>()

  /** Tells every watcher of System.Watch. */
  emit(event: EventInit['event']): void {
    const message = event === undefined ? {} : { event }
    for (const watcher of this.watchers) watcher.push(message)
  }

  putModel(init: MessageInitShape<typeof ModelSchema>): void {
    const model = create(ModelSchema, init)
    this.models.set(model.name, model)
    this.emit({ case: 'model', value: model })
  }

  putServer(init: MessageInitShape<typeof ServerSchema>): void {
    const server = create(ServerSchema, init)
    this.servers.set(server.model, server)
    this.emit({ case: 'server', value: server })
  }

  putJob(init: MessageInitShape<typeof JobSchema>): void {
    const job = create(JobSchema, init)
    this.jobs.set(job.id, job)
    this.emit({ case: 'job', value: job })
  }

  removeModel(name: string): void {
    this.models.delete(name)
    this.emit({ case: 'modelRemoved', value: name })
  }

  /** Breaks every stream and refuses every call, as a killed llmd does. */
  die(error = new ConnectError('connection refused', Code.Unavailable)): void {
    this.down = error
    for (const stream of this.streams) stream.close(error)
  }

  comeBack(): void {
    this.down = null
  }

  transport(): Transport {
    return createRouterTransport(({ service }) => {
      service(System, {
        info: () => this.called('System.Info', {}, () => this.info),
        watch: (_, context) => this.watch(context),
      })
      service(Models, {
        check: (request) => this.called('Models.Check', request, () => this.onCheck(request)),
        install: (request) => this.called('Models.Install', request, () => this.onInstall(request)),
        remove: (request) => this.called('Models.Remove', request, () => this.onRemove(request)),
      })
      service(Servers, {
        start: (request) =>
          this.called('Servers.Start', request, () => this.onStart(request.model)),
        stop: (request) =>
          this.called('Servers.Stop', request, () => ({ model: request.model, state: 'stopped' })),
        logs: (request, context) =>
          this.called('Servers.Logs', request, () => {
            this.opened.logs += 1
            return this.stream(this.logWatchers, request.model, context)
          }),
      })
      service(Jobs, {
        watch: (request, context) =>
          this.called('Jobs.Watch', request, () => {
            this.opened.jobs += 1
            const stream = this.stream(this.jobWatchers, request.id, context)
            const past = this.jobEvents.get(request.id) ?? []
            for (const event of past) {
              if ((event.sequence ?? 0n) > request.afterSequence) stream.push(event)
            }
            return stream
          }),
        cancel: (request) =>
          this.called('Jobs.Cancel', request, () => ({ id: request.id, state: 'cancelling' })),
      })
      service(Agent, {
        chat: (request, context) =>
          this.called('Agent.Chat', request, () => {
            this.opened.chat += 1
            const chat = this.open<ChunkInit>(context)
            this.onChat(request, chat)
            return chat
          }),
      })
    })
  }

  private async *watch(context: HandlerContext): AsyncGenerator<EventInit> {
    const watcher = this.called('System.Watch', {}, () => this.open<EventInit>(context))
    this.opened.watch += 1
    this.watchers.add(watcher)
    try {
      yield { event: { case: 'snapshot', value: this.snapshot() } }
      yield* watcher
    } finally {
      this.watchers.delete(watcher)
    }
  }

  private snapshot() {
    return create(SystemSnapshotSchema, {
      info: this.info,
      models: [...this.models.values()],
      servers: [...this.servers.values()],
      jobs: [...this.jobs.values()],
    })
  }

  private stream<T>(
    all: Map<string, Channel<T>>,
    key: string,
    context: HandlerContext,
  ): Channel<T> {
    const stream = this.open<T>(context)
    all.set(key, stream)
    return stream
  }

  private open<T>(context: HandlerContext): Channel<T> {
    const stream = new Channel<T>()
    this.streams.add(stream as Channel<never>)
    context.signal.addEventListener('abort', () => stream.close())
    return stream
  }

  private called<T>(method: string, request: unknown, answer: () => T): T {
    this.calls.push({ method, request })
    if (this.down !== null) throw this.down
    return answer()
  }
}
