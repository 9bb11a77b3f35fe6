import { type Api, type GenerationChunk, type Problem, Store, toProblem } from '../../api'

export interface Turn {
  role: 'user' | 'assistant'
  text: string
  /** Of an answer: how it ended; empty while it is written. */
  finish: string
  /** "24 tokens, 31 a second" is made of these. */
  tokens: number
  seconds: number
  problem: Problem | null
}

export interface Settings {
  system: string
  /** Null leaves it to the model server. */
  temperature: number | null
  maxTokens: number | null
}

export interface Conversation {
  turns: readonly Turn[]
  settings: Settings
  draft: string
  /** waiting: nothing has come yet; the model may be loading. */
  status: 'idle' | 'waiting' | 'writing'
}

export const newConversation: Conversation = {
  turns: [],
  settings: { system: '', temperature: null, maxTokens: null },
  draft: '',
  status: 'idle',
}

interface Message {
  role: string
  content: string
}

/** One conversation per model, kept in this tab's memory only. */
export class Chats {
  readonly store = new Store<ReadonlyMap<string, Conversation>>(new Map())
  private readonly running = new Map<string, AbortController>()
  /** The model of the last conversation, where the chat page opens again. */
  private last: string | null = null

  constructor(
    private readonly api: Api,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  get lastModel(): string | null {
    return this.last
  }

  open(model: string): void {
    this.last = model
  }

  of(model: string): Conversation {
    return this.store.get().get(model) ?? newConversation
  }

  setDraft(model: string, draft: string): void {
    this.change(model, (chat) => ({ ...chat, draft }))
  }

  setSettings(model: string, settings: Partial<Settings>): void {
    this.change(model, (chat) => ({ ...chat, settings: { ...chat.settings, ...settings } }))
  }

  /** Ends what is being written; what has come stays. */
  stop(model: string): void {
    this.running.get(model)?.abort()
  }

  clear(model: string): void {
    this.stop(model)
    this.change(model, (chat) => ({
      ...newConversation,
      settings: chat.settings,
      draft: chat.draft,
    }))
  }

  /** Sends the draft. Resolves when the answer has ended, one way or another. */
  async send(model: string, completes = false): Promise<void> {
    const { draft, status } = this.of(model)
    const text = draft.trim()
    if (text === '' || status !== 'idle') return
    this.change(model, (chat) => ({
      ...chat,
      draft: '',
      turns: [...chat.turns, turn('user', text)],
    }))
    await this.answer(model, completes)
  }

  /** Asks for the last answer once more. */
  async again(model: string, completes = false): Promise<void> {
    const chat = this.of(model)
    const last = chat.turns.at(-1)
    if (chat.status !== 'idle' || last === undefined) return
    const turns = last.role === 'assistant' ? chat.turns.slice(0, -1) : chat.turns
    this.change(model, (old) => ({ ...old, turns }))
    await this.answer(model, completes)
  }

  private async answer(model: string, completes: boolean): Promise<void> {
    const { settings, turns } = this.of(model)
    const abort = new AbortController()
    this.running.set(model, abort)
    this.change(model, (chat) => ({
      ...chat,
      status: 'waiting',
      turns: [...chat.turns, turn('assistant', '')],
    }))
    const options = {
      ...(settings.temperature === null ? {} : { temperature: settings.temperature }),
      ...(settings.maxTokens === null ? {} : { maxTokens: settings.maxTokens }),
    }
    let began = 0
    try {
      const stream = completes
        ? this.api.agent.complete(
            { model, prompt: turns.at(-1)?.text ?? '', options },
            { signal: abort.signal },
          )
        : this.api.agent.chat(
            { model, messages: messagesOf(turns, settings.system), options },
            { signal: abort.signal },
          )
      for await (const chunk of stream) {
        began ||= this.nowMs()
        this.addChunk(model, abort, chunk, (this.nowMs() - began) / 1000)
      }
      this.end(model, abort, (last) => ({ ...last, finish: last.finish || 'stop' }))
    } catch (error) {
      const problem = toProblem(error)
      const stopped = problem.kind === 'cancelled'
      this.end(model, abort, (last) => ({
        ...last,
        finish: stopped ? 'stopped' : 'failed',
        problem: stopped ? null : problem,
      }))
    }
  }

  private addChunk(
    model: string,
    abort: AbortController,
    chunk: GenerationChunk,
    seconds: number,
  ): void {
    if (this.running.get(model) !== abort || abort.signal.aborted) return
    this.change(model, (chat) => ({
      ...chat,
      status: 'writing',
      turns: withLast(chat.turns, (last) => ({
        ...last,
        text: last.text + chunk.text,
        finish: chunk.finishReason || last.finish,
        tokens: chunk.usage === undefined ? last.tokens : Number(chunk.usage.completionTokens),
        seconds,
      })),
    }))
  }

  private end(model: string, abort: AbortController, finish: (last: Turn) => Turn): void {
    if (this.running.get(model) !== abort) return
    this.running.delete(model)
    this.change(model, (chat) => ({
      ...chat,
      status: 'idle',
      turns: chat.turns.at(-1)?.role === 'assistant' ? withLast(chat.turns, finish) : chat.turns,
    }))
  }

  private change(model: string, how: (chat: Conversation) => Conversation): void {
    this.store.update((chats) => new Map(chats).set(model, how(this.of(model))))
  }
}

/** What is sent: answers that came to nothing are left out, a part of an answer is sent. */
export function messagesOf(turns: readonly Turn[], system: string): Message[] {
  const said = turns
    .filter((one) => one.role === 'user' || one.text !== '')
    .map(({ role, text }) => ({ role, content: text }))
  return system.trim() === '' ? said : [{ role: 'system', content: system.trim() }, ...said]
}

function turn(role: Turn['role'], text: string): Turn {
  return { role, text, finish: '', tokens: 0, seconds: 0, problem: null }
}

function withLast(turns: readonly Turn[], change: (last: Turn) => Turn): readonly Turn[] {
  const last = turns.at(-1)
  return last === undefined ? turns : [...turns.slice(0, -1), change(last)]
}
