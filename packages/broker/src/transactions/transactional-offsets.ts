/** Offsets that were committed in transactions which have not ended: nobody sees them until then. */
import type { CommittedOffset } from '../groups/committed-offsets.ts'

type ByGroup = Map<string, Map<string, CommittedOffset>>

/** Is told of offsets in transactions, before anybody else is. */
export interface TransactionalOffsetsKeeper {
  /** An offset that counts when the producer's transaction is committed. */
  offsetPending(producerId: bigint, groupId: string, key: string, offset: CommittedOffset): void
  /** What the producer has committed to the group counts or not; it is pending no more. */
  pendingEnded(producerId: bigint, groupId: string): void
}

export class TransactionalOffsets {
  readonly #keeper: TransactionalOffsetsKeeper | null
  readonly #byProducer = new Map<bigint, ByGroup>()

  constructor(keeper: TransactionalOffsetsKeeper | null = null) {
    this.#keeper = keeper
  }

  /** @param key as in the group's own offsets */
  add(producerId: bigint, groupId: string, key: string, offset: CommittedOffset): void {
    let groups = this.#byProducer.get(producerId)
    if (groups === undefined)
      this.#byProducer.set(producerId, (groups = new Map<string, Map<string, CommittedOffset>>()))
    let offsets = groups.get(groupId)
    if (offsets === undefined) groups.set(groupId, (offsets = new Map<string, CommittedOffset>()))
    offsets.set(key, offset)
    this.#keeper?.offsetPending(producerId, groupId, key, offset)
  }

  /** Whether what is committed for the partition may still change by a transaction's end (KIP-447). */
  isPending(groupId: string, key: string): boolean {
    for (const groups of this.#byProducer.values()) if (groups.get(groupId)?.has(key) === true) return true
    return false
  }

  /**
   * Takes out what a producer has committed to the groups that `concerns` picks; nobody waits for it any more. What becomes
   * of it is to be done before {@link ended} is called.
   */
  take(
    producerId: bigint,
    concerns: (groupId: string) => boolean,
  ): ReadonlyMap<string, ReadonlyMap<string, CommittedOffset>> {
    const taken: ByGroup = new Map()
    const groups = this.#byProducer.get(producerId)
    if (groups === undefined) return taken
    for (const [groupId, offsets] of groups) {
      if (!concerns(groupId)) continue
      taken.set(groupId, offsets)
      groups.delete(groupId)
    }
    if (groups.size === 0) this.#byProducer.delete(producerId)
    return taken
  }

  /** What was taken out for a group counts now, or never. */
  ended(producerId: bigint, groupId: string): void {
    this.#keeper?.pendingEnded(producerId, groupId)
  }

  /** The topic is gone, and with it what was to be committed for it. */
  forgetTopic(name: string): void {
    for (const groups of this.#byProducer.values()) {
      for (const offsets of groups.values()) {
        for (const key of offsets.keys()) if (key.startsWith(`${name}\0`)) offsets.delete(key)
      }
    }
  }

  /** For storage: everything that waits. */
  *all(): Generator<{ producerId: bigint; groupId: string; key: string; offset: CommittedOffset }> {
    for (const [producerId, groups] of this.#byProducer) {
      for (const [groupId, offsets] of groups) {
        for (const [key, offset] of offsets) yield { producerId, groupId, key, offset }
      }
    }
  }
}
