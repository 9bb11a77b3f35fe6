/** A value that React can follow with useSyncExternalStore. */
export class Store<T> {
  private readonly listeners = new Set<() => void>()

  constructor(private value: T) {}

  readonly get = (): T => this.value

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(value: T): void {
    if (Object.is(value, this.value)) return
    this.value = value
    for (const listener of [...this.listeners]) listener()
  }

  update(change: (value: T) => T): void {
    this.set(change(this.value))
  }

  /** Resolves once the value satisfies `wanted`, or `signal` aborts. */
  until(wanted: (value: T) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const look = () => {
        if (wanted(this.value)) done()
      }
      const unsubscribe = this.subscribe(look)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
      else look()
    })
  }
}
