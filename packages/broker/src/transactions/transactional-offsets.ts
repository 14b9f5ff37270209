/** Pending offsets, committed in transactions that have not ended. Nobody sees them until then. */
import type { CommittedOffset } from '../groups/committed-offsets.ts'

type ByGroup = Map<string, Map<string, CommittedOffset>>

/** Makes pending offsets durable, before they are acknowledged. */
export interface PendingOffsetPersistence {
  /** An offset takes effect when the producer's transaction commits. */
  offsetPending(producerId: bigint, groupId: string, key: string, offset: CommittedOffset): void
  /** The producer's transaction has ended for the group: none of its offsets is pending any more. */
  pendingEnded(producerId: bigint, groupId: string): void
}

export class TransactionalOffsets {
  readonly #persistence: PendingOffsetPersistence | null
  readonly #byProducer = new Map<bigint, ByGroup>()

  constructor(persistence: PendingOffsetPersistence | null = null) {
    this.#persistence = persistence
  }

  /** @param key as in the group's own offsets */
  add(producerId: bigint, groupId: string, key: string, offset: CommittedOffset): void {
    let groups = this.#byProducer.get(producerId)
    if (groups === undefined)
      this.#byProducer.set(producerId, (groups = new Map<string, Map<string, CommittedOffset>>()))
    let offsets = groups.get(groupId)
    if (offsets === undefined) groups.set(groupId, (offsets = new Map<string, CommittedOffset>()))
    offsets.set(key, offset)
    this.#persistence?.offsetPending(producerId, groupId, key, offset)
  }

  /** Whether the end of a transaction may still change the partition's committed offset (KIP-447). */
  isPending(groupId: string, key: string): boolean {
    for (const groups of this.#byProducer.values()) if (groups.get(groupId)?.has(key) === true) return true
    return false
  }

  /**
   * Removes a producer's pending offsets of the groups that match. The caller commits or drops them, then
   * calls {@link ended}.
   */
  take(
    producerId: bigint,
    matches: (groupId: string) => boolean,
  ): ReadonlyMap<string, ReadonlyMap<string, CommittedOffset>> {
    const taken: ByGroup = new Map()
    const groups = this.#byProducer.get(producerId)
    if (groups === undefined) return taken
    for (const [groupId, offsets] of groups) {
      if (!matches(groupId)) continue
      taken.set(groupId, offsets)
      groups.delete(groupId)
    }
    if (groups.size === 0) this.#byProducer.delete(producerId)
    return taken
  }

  /** To be called when the offsets of `take` have been committed or dropped for a group. */
  ended(producerId: bigint, groupId: string): void {
    this.#persistence?.pendingEnded(producerId, groupId)
  }

  /** Drops the pending offsets of a deleted topic. */
  forgetTopic(name: string): void {
    for (const groups of this.#byProducer.values()) {
      for (const offsets of groups.values()) {
        for (const key of offsets.keys()) if (key.startsWith(`${name}\0`)) offsets.delete(key)
      }
    }
  }

  /** All pending offsets, for storage. */
  *all(): Generator<{ producerId: bigint; groupId: string; key: string; offset: CommittedOffset }> {
    for (const [producerId, groups] of this.#byProducer) {
      for (const [groupId, offsets] of groups) {
        for (const [key, offset] of offsets) yield { producerId, groupId, key, offset }
      }
    }
  }
}
