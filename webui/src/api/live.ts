import { backoffMs, sleep } from '../lib/backoff'
import type { Api } from './client'
import { applyEvent, emptyWorld, type World } from './live-state'
import { type Problem, toProblem } from './problem'
import { Store } from './store'

export type Connection =
  | { status: 'connecting' }
  | { status: 'live' }
  /** `attempt` counts the vain ones since it was last live. */
  | { status: 'away'; problem: Problem; attempt: number }
  | { status: 'token'; problem: Problem }
  /** Not watched while nobody looks: a browser has six connections for all of our tabs. */
  | { status: 'paused' }

export interface LiveState {
  connection: Connection
  world: World
}

/** A hidden tab lets go of its stream after this long. */
export const pauseAfterMs = 60_000

/**
 * Follows System.Watch for as long as it runs: the one stream behind everything the page shows.
 * When it breaks it is opened again, with growing pauses; its first message is a snapshot, so that
 * nothing that happened meanwhile is missed.
 */
export class Live {
  readonly store = new Store<LiveState>({ connection: { status: 'connecting' }, world: emptyWorld })
  private wake = new AbortController()
  private hiddenSince: number | null = null

  constructor(
    private readonly api: Api,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = () => signal.aborted
    let attempt = 0
    while (!ended()) {
      const { problem, sawSnapshot } = await this.watchOnce(signal)
      if (ended()) return
      if (this.hiddenSince !== null && problem.kind === 'cancelled') {
        this.connection({ status: 'paused' })
        await this.untilWoken(signal)
        continue
      }
      attempt = sawSnapshot ? 0 : attempt + 1
      if (problem.kind === 'token') {
        this.connection({ status: 'token', problem })
        await this.untilWoken(signal)
        this.connection({ status: 'connecting' })
      } else if (problem.kind !== 'cancelled') {
        // A page that was merely too slow, and was live, is not told that llmd is away.
        if (problem.kind !== 'behind' || !sawSnapshot) {
          this.connection({ status: 'away', problem, attempt })
        }
        await this.pause(backoffMs(attempt), signal)
      }
    }
  }

  /** Tries again now: a new token, a network that is back, a person who is tired of waiting. */
  readonly retry = (): void => {
    const sleeping = this.wake
    this.wake = new AbortController()
    sleeping.abort()
  }

  /** Resolves when the stream is up, or `signal` aborts. */
  untilLive(signal: AbortSignal): Promise<void> {
    return this.store.until((state) => state.connection.status === 'live', signal)
  }

  /** Pauses in hidden tabs and resynchronises when the tab or the network comes back. */
  attach(target: Document): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    const seen = () => {
      clearTimeout(timer)
      if (target.visibilityState === 'hidden') {
        timer = setTimeout(() => {
          this.hiddenSince = this.nowMs()
          this.retry()
        }, pauseAfterMs)
      } else if (this.hiddenSince !== null) {
        this.hiddenSince = null
        this.retry()
      }
    }
    target.addEventListener('visibilitychange', seen)
    target.defaultView?.addEventListener('online', this.retry)
    return () => {
      clearTimeout(timer)
      target.removeEventListener('visibilitychange', seen)
      target.defaultView?.removeEventListener('online', this.retry)
    }
  }

  private async watchOnce(
    signal: AbortSignal,
  ): Promise<{ problem: Problem; sawSnapshot: boolean }> {
    let sawSnapshot = false
    try {
      const stream = this.api.system.watch(
        {},
        { signal: AbortSignal.any([signal, this.wake.signal]) },
      )
      for await (const { event } of stream) {
        const { connection, world } = this.store.get()
        sawSnapshot ||= event.case === 'snapshot'
        this.store.set({
          connection: sawSnapshot && connection.status !== 'live' ? { status: 'live' } : connection,
          world: applyEvent(world, event, this.nowMs()),
        })
      }
      return { problem: toProblem(new TypeError('the stream ended')), sawSnapshot }
    } catch (error) {
      return { problem: toProblem(error), sawSnapshot }
    }
  }

  private connection(connection: Connection): void {
    this.store.update((state) => ({ ...state, connection }))
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, AbortSignal.any([signal, this.wake.signal]))
  }

  private async untilWoken(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.wake.signal])
    await new Promise<void>((resolve) => {
      if (either.aborted) resolve()
      else either.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}
