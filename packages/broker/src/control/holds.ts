/** Paused brokers, which keep their connections but answer nothing until they are resumed. */
export class Holds {
  readonly #held = new Map<number, { readonly released: Promise<void>; readonly release: () => void }>()

  hold(brokerId: number): void {
    if (this.#held.has(brokerId)) return
    let release = (): void => undefined
    const released = new Promise<void>(resolve => (release = resolve))
    this.#held.set(brokerId, { released, release })
  }

  release(brokerId: number): void {
    this.#held.get(brokerId)?.release()
    this.#held.delete(brokerId)
  }

  releaseAll(): void {
    for (const id of [...this.#held.keys()]) this.release(id)
  }

  /** Resolves when the broker is not paused, or the signal is aborted. */
  async passed(brokerId: number, signal: AbortSignal): Promise<void> {
    for (let hold = this.#held.get(brokerId); hold !== undefined; hold = this.#held.get(brokerId)) {
      if (signal.aborted) return
      const { released } = hold
      await new Promise<void>(resolve => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done)
        void released.then(done)
      })
    }
  }
}
