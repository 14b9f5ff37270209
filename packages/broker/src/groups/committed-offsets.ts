/** An offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** The committed offsets of one group by topic and partition. Reports every change. */
export class CommittedOffsets extends Map<string, CommittedOffset> {
  readonly #changed: (key: string, offset: CommittedOffset | null) => void

  constructor(changed: (key: string, offset: CommittedOffset | null) => void) {
    super()
    this.#changed = changed
  }

  override set(key: string, offset: CommittedOffset): this {
    super.set(key, offset)
    this.#changed(key, offset)
    return this
  }

  override delete(key: string): boolean {
    const existed = super.delete(key)
    if (existed) this.#changed(key, null)
    return existed
  }

  override clear(): void {
    for (const key of [...this.keys()]) this.delete(key)
  }
}
