/** What became of records of one partition, until a broker has been told (KIP-932). */

/** As they go over the wire; `gap` stands for an offset without a record. */
export const acknowledgeTypes = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const

/** A renewal that nobody asked for: the consumer itself keeps what waits, or is at work, locked. */
export const KEEP = 5

/** A release of what nobody has been given. */
export const GIVE_BACK = 6

/** Whether it makes a lock longer, whoever asked for that. */
export function isRenewal(type: number | undefined): boolean {
  return type === acknowledgeTypes.renew || type === KEEP
}

/** Whether the program has said it, and hears what becomes of it. */
export function isSaid(type: number): boolean {
  return type !== acknowledgeTypes.gap && type !== KEEP && type !== GIVE_BACK
}

/**
 * accept: done; release: somebody is to try again, perhaps this consumer; reject: nobody is to try again; renew: still at
 * work, the lock begins anew (KIP-1222).
 * @since 0.1.0
 */
export type AcknowledgeType = 'accept' | 'release' | 'reject' | 'renew'

/** Records in a row, one type for all of them or one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** Offsets with a type each; the last word about an offset counts. */
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

  /** Forgets what was said of an offset. @returns that; undefined when nothing was */
  drop(offset: number): number | undefined {
    const type = this.#types.get(offset)
    this.#types.delete(offset)
    if (isRenewal(type)) this.#renewals--
    return type
  }

  /** Everything that there is, which is none of this object's business any more. */
  take(): ReadonlyMap<number, number> {
    const taken = this.#types
    this.#types = new Map()
    this.#renewals = 0
    return taken
  }
}

/** Rows of neighbouring offsets, in order. */
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
  if (type === KEEP) return acknowledgeTypes.renew
  return type === GIVE_BACK ? acknowledgeTypes.release : type
}
