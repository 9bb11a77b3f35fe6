import { type Api, type CheckResponse, type Job, type Problem, Store, toProblem } from '../../api'
import { randomId } from '../../lib/random-id'
import { parseSource } from '../../lib/source'

/** What the install box shows; it survives going to another page. */
export interface InstallView {
  typed: string
  /** What is wrong with what was typed. */
  complaint: string
  checking: boolean
  answer: CheckResponse | null
  variant: string
  force: boolean
  starting: boolean
  /** The installation that was started. */
  jobId: string | null
  problem: Problem | null
}

const fresh: InstallView = {
  typed: '',
  complaint: '',
  checking: false,
  answer: null,
  variant: '',
  force: false,
  starting: false,
  jobId: null,
  problem: null,
}

/** From a repository id to an installation: check, choose, install. */
export class InstallState {
  readonly store = new Store<InstallView>(fresh)
  private asking = new AbortController()
  private idempotencyKey = ''

  constructor(private readonly api: Api) {}

  type(typed: string): void {
    this.change({ typed, complaint: '' })
  }

  setForce(force: boolean): void {
    this.change({ force })
  }

  /** Starts over; a check that is under way is given up. */
  clear(): void {
    this.asking.abort()
    this.store.set(fresh)
  }

  check(): Promise<void> {
    return this.ask('')
  }

  /** The same repository with another variant: other files, other memory. */
  choose(variant: string): Promise<void> {
    return this.ask(variant)
  }

  /** Starts the installation. Pressed twice, or again after a lost answer, it is still one. */
  async install(): Promise<Job | null> {
    const { typed, variant, force, starting } = this.store.get()
    const source = parseSource(typed)
    if (!source.ok || starting) return null
    this.change({ starting: true, problem: null })
    try {
      const { repoId, revision } = source
      const job = await this.api.models.install({
        source: { repoId, revision },
        variant,
        force,
        idempotencyKey: this.idempotencyKey,
      })
      this.store.set({ ...fresh, jobId: job.id })
      return job
    } catch (error) {
      this.change({ starting: false, problem: toProblem(error) })
      return null
    }
  }

  private async ask(variant: string): Promise<void> {
    const { typed } = this.store.get()
    const source = parseSource(typed)
    if (!source.ok) {
      this.change({ complaint: source.message })
      return
    }
    this.asking.abort()
    const asking = new AbortController()
    this.asking = asking
    this.idempotencyKey = randomId()
    this.change({ checking: true, variant, force: false, problem: null, jobId: null })
    try {
      const { repoId, revision } = source
      const answer = await this.api.models.check(
        { source: { repoId, revision }, variant },
        { signal: asking.signal },
      )
      if (this.asking === asking) this.change({ checking: false, answer })
    } catch (error) {
      if (this.asking === asking && !asking.signal.aborted) {
        this.change({ checking: false, answer: null, problem: toProblem(error) })
      }
    }
  }

  private change(part: Partial<InstallView>): void {
    this.store.update((view) => ({ ...view, ...part }))
  }
}
