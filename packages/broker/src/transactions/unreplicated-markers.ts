/** Markers that leaders have appended: a transaction has ended only once its markers are replicated. */
export class UnreplicatedMarkers {
  readonly #states = new Map<string, 'waiting' | 'replicated'>()

  /** What is known of a marker; null if it has to be written. Once replicated, it is forgotten with the answer. */
  stateOf(key: string): 'waiting' | 'replicated' | null {
    const state = this.#states.get(key) ?? null
    if (state === 'replicated') this.#states.delete(key)
    return state
  }

  add(key: string): void {
    this.#states.set(key, 'waiting')
  }

  /** @param isReplicated false: the marker may be lost, and has to be written again */
  settle(key: string, isReplicated: boolean): void {
    if (isReplicated) this.#states.set(key, 'replicated')
    else this.#states.delete(key)
  }
}
