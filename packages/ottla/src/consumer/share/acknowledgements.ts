/** Acknowledgements of one partition that have not been sent yet (KIP-932). */

/** The types on the wire; `gap` stands for an offset without a record. */
export const acknowledgeTypes = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const

/** A renewal by the consumer itself, for a message that waits or that a handler has. */
export const AUTO_RENEW = 5

/** A release of a message that was not delivered. */
export const AUTO_RELEASE = 6

/** Whether it renews a lock, for the application or for the consumer itself. */
export function isRenewal(type: number | undefined): boolean {
  return type === acknowledgeTypes.renew || type === AUTO_RENEW
}

/** Whether it comes from the application, which gets the result. */
export function isByApplication(type: number): boolean {
  return type !== acknowledgeTypes.gap && type !== AUTO_RENEW && type !== AUTO_RELEASE
}

/**
 * accept: processed; release: to be delivered again, perhaps to this consumer; reject: never to be delivered again;
 * renew: still being processed, the lock starts again (KIP-1222).
 * @since 0.1.0
 */
export type AcknowledgeType = 'accept' | 'release' | 'reject' | 'renew'

/** Consecutive records, with one type for all of them or one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** Offsets with a type each; the latest type of an offset counts. */
export class PendingAcknowledgements {
  #types = new Map<number, number>()
  #renewals = 0

  get size(): number {
    return this.#types.size
  }

  get hasRenewals(): boolean {
    return this.#renewals > 0
  }

  add(offset: number, type: number): void {
    if (isRenewal(this.#types.get(offset))) this.#renewals--
    if (isRenewal(type)) this.#renewals++
    this.#types.set(offset, type)
  }

  /** Removes the acknowledgement of an offset. @returns its type; undefined without any */
  drop(offset: number): number | undefined {
    const type = this.#types.get(offset)
    this.#types.delete(offset)
    if (isRenewal(type)) this.#renewals--
    return type
  }

  /** Takes out everything. */
  take(): ReadonlyMap<number, number> {
    const taken = this.#types
    this.#types = new Map()
    this.#renewals = 0
    return taken
  }
}

/** Batches of consecutive offsets, in order. */
export function batchesOf(types: ReadonlyMap<number, number>): AcknowledgementBatch[] {
  const offsets = [...types.keys()].sort((a, b) => a - b)
  const batches: AcknowledgementBatch[] = []
  let start = 0
  for (let i = 1; i <= offsets.length; i++) {
    const last = offsets[i - 1] as number // i is within 1..length
    if (i < offsets.length && offsets[i] === last + 1) continue
    const row = offsets.slice(start, i).map(offset => wireType(types.get(offset) as number)) // its own keys
    const isUniform = row.every(type => type === row[0])
    batches.push({
      firstOffset: offsets[start] as number, // as above
      lastOffset: last,
      acknowledgeTypes: isUniform ? row.slice(0, 1) : row,
    })
    start = i
  }
  return batches
}

function wireType(type: number): number {
  if (type === AUTO_RENEW) return acknowledgeTypes.renew
  return type === AUTO_RELEASE ? acknowledgeTypes.release : type
}
