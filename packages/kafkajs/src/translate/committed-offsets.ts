/** Offsets that are known to be committed, by group: by its consumer, or by a transaction. */

export class CommittedOffsets {
  readonly #listeners = new Set<(groupId: string, topic: string, partition: number, offset: number) => void>()

  /** A transaction has taken these offsets along. */
  mark(groupId: string, topic: string, partition: number, offset: number): void {
    for (const listener of this.#listeners) listener(groupId, topic, partition, offset)
  }

  /** Calls the listener for what is marked from now on. @returns ends that */
  onMarked(listener: (groupId: string, topic: string, partition: number, offset: number) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
