/** Compares the outcomes of transactions that writers report with the committed messages that a reader has seen. */

/** `unknown`: the writer failed before it learned the outcome; the transaction may be either, but is atomic. */
export type End = 'committed' | 'aborted' | 'unknown'

/** A message's value: `writer:transaction:index:count`. */
export function valueOf(writer: number, transaction: number, index: number, count: number): string {
  return `${writer}:${transaction}:${index}:${count}`
}

/** A message that was read. */
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

  /** The number of messages that must be in the log. */
  get committedMessages(): number {
    let all = 0
    for (const { end, count } of this.#ends.values()) if (end === 'committed') all += count
    return all
  }

  /** The violations in what was read; empty if there are none. */
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
      if (end === undefined) complaints.push(`${key} was written by nobody`)
      if (end === 'aborted') complaints.push(`${key} was aborted, and ${indexes.length} messages of it were seen`)
      if (new Set(indexes).size !== indexes.length) complaints.push(`${key}: a message was seen twice`)
      if (indexes.length < count) complaints.push(`${key} (${end}): ${indexes.length} of ${count} messages were seen`)
    }
    for (const [key, { end, count }] of this.#ends) {
      if (end === 'committed' && !found.has(key))
        complaints.push(`${key} was committed, and none of its ${count} was seen`)
    }
    return complaints
  }
}
