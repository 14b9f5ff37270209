/** What writers say of their transactions, against what a reader of committed messages has seen. */

/** `unknown`: the writer was lost before it could learn of the end; it may be either, but whole. */
export type End = 'committed' | 'aborted' | 'unknown'

/** A message's value: `writer:transaction:index:count`. */
export function valueOf(writer: number, transaction: number, index: number, count: number): string {
  return `${writer}:${transaction}:${index}:${count}`
}

/** A message as it was read. */
export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

interface Found {
  readonly indexes: number[]
  count: number
}

export class Ledger {
  readonly #ends = new Map<string, { readonly end: End; readonly count: number }>()

  record(writer: number, transaction: number, end: End, count: number): void {
    this.#ends.set(`${writer}:${transaction}`, { end, count })
  }

  tally(): Record<End, number> {
    const tally = { committed: 0, aborted: 0, unknown: 0 }
    for (const { end } of this.#ends.values()) tally[end]++
    return tally
  }

  /** Messages that are certainly there. */
  get committedMessages(): number {
    let all = 0
    for (const { end, count } of this.#ends.values()) if (end === 'committed') all += count
    return all
  }

  /** Everything that is wrong with what was read; empty: nothing. */
  complaints(seen: readonly Seen[]): string[] {
    const complaints: string[] = []
    const found = new Map<string, Found>()
    const last = new Map<string, readonly [transaction: number, index: number]>()
    for (const { partition, value } of seen) {
      const [writer = -1, transaction = -1, index = -1, count = -1] = value.split(':').map(Number)
      const key = `${writer}:${transaction}`
      let one = found.get(key)
      if (one === undefined) found.set(key, (one = { indexes: [], count }))
      one.indexes.push(index)
      const stream = `${writer}/${partition}`
      const [lastTransaction, lastIndex] = last.get(stream) ?? [-1, -1]
      if (transaction < lastTransaction || (transaction === lastTransaction && index <= lastIndex)) {
        complaints.push(`partition ${partition}: ${value} came after ${writer}:${lastTransaction}:${lastIndex}`)
      }
      last.set(stream, [transaction, index])
    }
    for (const [key, { indexes, count }] of found) {
      const end = this.#ends.get(key)?.end
      if (end === undefined) complaints.push(`${key} is nobody's`)
      if (end === 'aborted') complaints.push(`${key} was aborted, and ${indexes.length} messages of it were seen`)
      if (new Set(indexes).size !== indexes.length) complaints.push(`${key}: a message is there twice`)
      if (indexes.length < count) complaints.push(`${key} (${end}): ${indexes.length} of ${count} messages were seen`)
    }
    for (const [key, { end, count }] of this.#ends) {
      if (end === 'committed' && !found.has(key))
        complaints.push(`${key} was committed, and none of its ${count} was seen`)
    }
    return complaints
  }
}
