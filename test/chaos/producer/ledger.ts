/** What a program was told of its messages, and what readers found: message by message. */
import type { PersistenceStatus } from 'ottla'

/** What must be true of a message in the log. */
export type Fate = 'there' | 'not there' | 'unknown'

/** One writer's messages: numbers from 0, in the order of its calls. */
export interface Numbered {
  readonly name: string
  readonly count: number
  fateOf(n: number): Fate
  /** Where it was said to be written; -1: not said. */
  partitionOf(n: number): number
  offsetOf(n: number): number
  /** The error that it was reported with. */
  errorOf(n: number): string | undefined
  /** The first number behind those that share the message's fate: all of them are in the log, or none. */
  groupEnd(n: number): number
}

export class Complaints {
  readonly #most = 30
  readonly lines: string[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(line: string): void {
    if (++this.#count <= this.#most) this.lines.push(line)
  }
}

const FATES: Record<PersistenceStatus, Fate> = {
  persisted: 'there',
  'not-persisted': 'not there',
  'possibly-persisted': 'unknown',
}

/** The delivery reports of a writer: one for each message. */
export class Reports implements Numbered {
  readonly name: string
  readonly #complaints: Complaints
  readonly #fates: (Fate | null)[] = []
  readonly #partitions: number[] = []
  readonly #offsets: number[] = []
  readonly #errors = new Map<number, string>()
  #reported = 0

  constructor(name: string, complaints: Complaints) {
    this.name = name
    this.#complaints = complaints
  }

  /** Messages that were accepted. */
  get count(): number {
    return this.#fates.length
  }

  /** Messages that a report has been given for. */
  get reported(): number {
    return this.#reported
  }

  /** Messages that were reported with an error. */
  get failed(): number {
    return this.#errors.size
  }

  /** @returns the message's number */
  accept(): number {
    this.#partitions.push(-1)
    this.#offsets.push(-1)
    return this.#fates.push(null) - 1
  }

  report(n: number, status: PersistenceStatus, partition: number, offset: number, error: Error | undefined): void {
    if (this.#fates[n] !== null) this.#complaints.add(`${this.name} ${n}: a second report (${status})`)
    this.#fates[n] = FATES[status]
    this.#partitions[n] = partition
    this.#offsets[n] = offset
    this.#reported++
    if (error !== undefined) this.#errors.set(n, String(error))
    if (error !== undefined && status === 'persisted')
      this.#complaints.add(`${this.name} ${n}: persisted, with an error`)
    if (error === undefined && status !== 'persisted')
      this.#complaints.add(`${this.name} ${n}: ${status}, without an error`)
  }

  fateOf(n: number): Fate {
    const fate = this.#fates[n] ?? null
    if (fate === null) this.#complaints.add(`${this.name} ${n}: never reported`)
    return fate ?? 'unknown'
  }

  partitionOf(n: number): number {
    return this.#partitions[n] ?? -1
  }

  offsetOf(n: number): number {
    return this.#offsets[n] ?? -1
  }

  errorOf(n: number): string | undefined {
    return this.#errors.get(n)
  }

  groupEnd(n: number): number {
    return n + 1
  }
}

/** What one reader has found of all writers. */
export class Readings {
  readonly #reader: string
  readonly #complaints: Complaints
  /** By writer and number: where it was found, as `partition:offset`. */
  readonly #found = new Map<string, Map<number, string>>()
  /** By writer and partition: the last number. */
  readonly #last = new Map<string, number>()
  readonly #nextOffsets: number[] = []
  #count = 0

  constructor(reader: string, complaints: Complaints) {
    this.#reader = reader
    this.#complaints = complaints
  }

  /** Messages read. */
  get count(): number {
    return this.#count
  }

  /** The offset after the last message of a partition. */
  nextOffset(partition: number): number {
    return this.#nextOffsets[partition] ?? 0
  }

  add(partition: number, offset: number, value: string): void {
    this.#count++
    const where = `${partition}:${offset}`
    const match = /^([^:]+):(\d+):/.exec(value)
    const [, writer = '', digits = ''] = match ?? []
    const n = Number(digits)
    if (match === null) this.#complain(`at ${where}: not a message of ours: ${value.slice(0, 40)}`)
    if (offset < this.nextOffset(partition)) this.#complain(`${where} after ${this.nextOffset(partition) - 1}`)
    this.#nextOffsets[partition] = offset + 1
    let found = this.#found.get(writer)
    if (found === undefined) this.#found.set(writer, (found = new Map<number, string>()))
    const before = found.get(n)
    if (before !== undefined) this.#complain(`${writer} ${n} twice: at ${before} and at ${where}`)
    found.set(n, where)
    const series = `${writer} ${partition}`
    const last = this.#last.get(series) ?? -1
    if (before === undefined && n < last) this.#complain(`${writer} ${n} at ${where}: behind ${last}`)
    this.#last.set(series, Math.max(n, last))
  }

  /** Compares with what the writers were told. */
  check(writers: readonly Numbered[]): void {
    for (const writer of writers) {
      const found = this.#found.get(writer.name) ?? new Map<number, string>()
      for (let n = 0; n < writer.count; n++) {
        const where = found.get(n)
        const fate = writer.fateOf(n)
        if (fate === 'there' && where === undefined) this.#complain(`${writer.name} ${n}: lost`)
        if (fate === 'not there' && where !== undefined) {
          this.#complain(
            `${writer.name} ${n}: at ${where}, though it was said to be nowhere: ${writer.errorOf(n) ?? ''}`,
          )
        }
        const [partition, offset] = [writer.partitionOf(n), writer.offsetOf(n)]
        if (where !== undefined && offset >= 0 && where !== `${partition}:${offset}`) {
          this.#complain(`${writer.name} ${n}: at ${where}, though reported at ${partition}:${offset}`)
        }
      }
      for (let n = 0; n < writer.count; n = writer.groupEnd(n)) {
        const end = writer.groupEnd(n)
        let there = 0
        for (let i = n; i < end; i++) if (found.has(i)) there++
        if (there !== 0 && there !== end - n) {
          this.#complain(`${writer.name} ${n} to ${end - 1}: ${there} of ${end - n} are there`)
        }
      }
      for (const n of found.keys()) if (n >= writer.count) this.#complain(`${writer.name} ${n}: never written`)
    }
    for (const name of this.#found.keys()) {
      if (!writers.some(writer => writer.name === name)) this.#complain(`a writer nobody knows: ${name}`)
    }
  }

  #complain(line: string): void {
    this.#complaints.add(`${this.#reader}: ${line}`)
  }
}

/** The value of a message: writer, number, and something to fill it up. */
export function valueOf(writer: string, n: number, fill: string): string {
  return `${writer}:${n}:${fill}`
}
