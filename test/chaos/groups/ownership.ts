/** The histories of the members of a group, and the invariants between them. */

/** Partitions assigned to a member, or taken from it. */
export interface Move {
  readonly type: 'assign' | 'revoke' | 'lost'
  readonly partitions: readonly number[]
  /** Ms since the epoch; all processes are on one machine and share its clock. */
  readonly at: number
}

/** One member from its start to its end. */
export interface MemberHistory {
  readonly name: string
  /** The value of every message received, in order. */
  readonly values: readonly string[]
  readonly moves: readonly Move[]
  /** Warnings of its client, if known. */
  readonly complaints?: readonly string[]
}

interface Tenure {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** A sentence for each partition that two members owned at the same time. */
export function overlaps(histories: readonly MemberHistory[]): string[] {
  const found: string[] = []
  for (const [partition, tenures] of tenuresOf(histories)) {
    tenures.sort((a, b) => a.from - b.from || a.to - b.to)
    let last: Tenure | undefined
    for (const tenure of tenures) {
      if (last !== undefined && tenure.from < last.to) {
        found.push(
          `partition ${partition}: ${last.name} had it until ${last.to}, ${tenure.name} from ${tenure.from} ` +
            `(${last.to - tenure.from} ms earlier)`,
        )
      }
      if (last === undefined || tenure.to >= last.to) last = tenure
    }
  }
  return found
}

function tenuresOf(histories: readonly MemberHistory[]): Map<number, Tenure[]> {
  const tenures = new Map<number, Tenure[]>()
  const add = (partition: number, tenure: Tenure): void => {
    const list = tenures.get(partition)
    if (list === undefined) tenures.set(partition, [tenure])
    else list.push(tenure)
  }
  for (const { name, moves } of histories) {
    const since = new Map<number, number>()
    for (const { type, partitions, at } of moves) {
      for (const partition of partitions) {
        const from = since.get(partition)
        if (type === 'assign') since.set(partition, from ?? at)
        else if (from !== undefined) {
          since.delete(partition)
          add(partition, { name, from, to: at })
        }
      }
    }
    for (const [partition, from] of since) add(partition, { name, from, to: Infinity })
  }
  return tenures
}

/** Which of `0` to `count - 1` nobody read, and how many were read more than once, by the names of their readers. */
export function timesRead(
  histories: readonly MemberHistory[],
  count: number,
): { missing: number[]; repeats: Map<string, number> } {
  const readers: (string | undefined)[] = new Array<string | undefined>(count)
  const repeats = new Map<string, number>()
  for (const { name, values } of histories) {
    for (const value of values) {
      const before = readers[Number(value)]
      readers[Number(value)] = before === undefined ? name : `${before}, ${name}`
    }
  }
  const missing: number[] = []
  for (let value = 0; value < count; value++) {
    const names = readers[value]
    if (names === undefined) missing.push(value)
    else if (names.includes(',')) repeats.set(names, (repeats.get(names) ?? 0) + 1)
  }
  return { missing, repeats }
}
