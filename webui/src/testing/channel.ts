/** Messages for one reader: pushed from outside, read as an async iterable. */
export class Channel<T> implements AsyncIterable<T> {
  private readonly items: T[] = []
  private waiting: (() => void) | null = null
  private end: { error: Error | null } | null = null

  push(item: T): void {
    this.items.push(item)
    this.waiting?.()
  }

  /** Ends it; with an error, the reader throws that. */
  close(error: Error | null = null): void {
    this.end ??= { error }
    this.waiting?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = this.items.shift()
      if (item !== undefined) {
        yield item
      } else if (this.end !== null) {
        if (this.end.error !== null) throw this.end.error
        return
      } else {
        await new Promise<void>((resolve) => (this.waiting = resolve))
        this.waiting = null
      }
    }
  }
}
