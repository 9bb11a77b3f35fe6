import { Limiter } from '../lib/limiter'
import { type Problem, toProblem } from './problem'
import { Store } from './store'

export interface Action {
  pending: boolean
  problem: Problem | null
}

const idle: Action = { pending: false, problem: null }

/**
 * Calls that change something. They outlive the view that made them: leaving a page does not stop
 * a start. Each has a key ("start acme/tiny"), under which views find what became of it.
 */
export class Actions {
  readonly store = new Store<ReadonlyMap<string, Action>>(new Map())
  private readonly limiter = new Limiter(2)

  /** The result, or null when it failed (the problem is then in the store) or already runs. */
  async run<T>(key: string, call: () => Promise<T>): Promise<T | null> {
    if (this.of(key).pending) return null
    this.put(key, { pending: true, problem: null })
    try {
      const result = await this.limiter.run(call)
      this.clear(key)
      return result
    } catch (error) {
      this.put(key, { pending: false, problem: toProblem(error) })
      return null
    }
  }

  of(key: string): Action {
    return this.store.get().get(key) ?? idle
  }

  clear(key: string): void {
    this.store.update((actions) => {
      const copy = new Map(actions)
      copy.delete(key)
      return copy
    })
  }

  private put(key: string, action: Action): void {
    this.store.update((actions) => new Map(actions).set(key, action))
  }
}
