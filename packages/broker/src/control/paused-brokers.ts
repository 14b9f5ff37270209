/** Paused brokers, which keep their connections but answer nothing until they are resumed. */
export class PausedBrokers {
  readonly #paused = new Map<number, { readonly resumed: Promise<void>; readonly resume: () => void }>()

  pause(brokerId: number): void {
    if (this.#paused.has(brokerId)) return
    let resume = (): void => undefined
    const resumed = new Promise<void>(resolve => (resume = resolve))
    this.#paused.set(brokerId, { resumed, resume })
  }

  resume(brokerId: number): void {
    this.#paused.get(brokerId)?.resume()
    this.#paused.delete(brokerId)
  }

  resumeAll(): void {
    for (const id of [...this.#paused.keys()]) this.resume(id)
  }

  /** Resolves when the broker is not paused, or the signal is aborted. */
  async untilResumed(brokerId: number, signal: AbortSignal): Promise<void> {
    for (let pause = this.#paused.get(brokerId); pause !== undefined; pause = this.#paused.get(brokerId)) {
      if (signal.aborted) return
      const { resumed } = pause
      await new Promise<void>(resolve => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done)
        void resumed.then(done)
      })
    }
  }
}
