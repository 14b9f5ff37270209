/**
 * Runs `work`, and again if it was kicked meanwhile: runs never overlap and no kick is lost. The work must not reject.
 */
export class WorkLoop {
  readonly #work: () => Promise<void>
  #kicked = false
  #stopped = false
  #running: Promise<void> | null = null

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Requests a run: now if idle, else one more after the current one. */
  kick(): void {
    if (this.#stopped) return
    this.#kicked = true
    this.#running ??= this.#run()
  }

  /** Prevents further runs; resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#kicked = false
    await this.#running
  }

  async #run(): Promise<void> {
    // Starting in a microtask lets a burst of kicks in one tick share a run.
    await Promise.resolve()
    while (this.#kicked && !this.#stopped) {
      this.#kicked = false
      await this.#work()
    }
    this.#running = null
  }
}
