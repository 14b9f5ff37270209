/** Compares, message by message, what producers reported with what readers found. */
import type { PersistenceStatus } from 'ottla'

/** What a report says about a message in the log. */
export type Outcome = 'there' | 'not there' | 'unknown'

/** One writer's messages: numbers from 0, in the order of its calls. */
export interface Numbered {
  readonly name: string
  readonly count: number
  outcomeOf(n: number): Outcome
  /** The reported partition; -1 if none was reported. */
  partitionOf(n: number): number
  offsetOf(n: number): number
  /** The reported error. */
  errorOf(n: number): string | undefined
  /** The end (exclusive) of the messages that are atomic with this one: all of them are in the log, or none. */
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

const OUTCOMES: Record<PersistenceStatus, Outcome> = {
  persisted: 'there',
  'not-persisted': 'not there',
  'possibly-persisted': 'unknown',
}

/** The delivery reports of a writer: one for each message. */
export class Reports implements Numbered {
  readonly name: string
  readonly #complaints: Complaints
  readonly #outcomes: (Outcome | null)[] = []
  readonly #partitions: number[] = []
  readonly #offsets: number[] = []
  readonly #errors = new Map<number, string>()
  #reported = 0

  constructor(name: string, complaints: Complaints) {
    this.name = name
    this.#complaints = complaints
  }

  /** The number of accepted messages. */
  get count(): number {
    return this.#outcomes.length
  }

  /** The number of messages with a report. */
  get reported(): number {
    return this.#reported
  }

  /** The number of messages reported with an error. */
  get failed(): number {
    return this.#errors.size
  }

  /** @returns the message's number */
  accept(): number {
    this.#partitions.push(-1)
    this.#offsets.push(-1)
    return this.#outcomes.push(null) - 1
  }

  report(n: number, status: PersistenceStatus, partition: number, offset: number, error: Error | undefined): void {
    if (this.#outcomes[n] !== null) this.#complaints.add(`${this.name} ${n}: a second report (${status})`)
    this.#outcomes[n] = OUTCOMES[status]
    this.#partitions[n] = partition
    this.#offsets[n] = offset
    this.#reported++
    if (error !== undefined) this.#errors.set(n, String(error))
    if (error !== undefined && status === 'persisted')
      this.#complaints.add(`${this.name} ${n}: persisted, with an error`)
    if (error === undefined && status !== 'persisted')
      this.#complaints.add(`${this.name} ${n}: ${status}, without an error`)
  }

  outcomeOf(n: number): Outcome {
    const outcome = this.#outcomes[n] ?? null
    if (outcome === null) this.#complaints.add(`${this.name} ${n}: never reported`)
    return outcome ?? 'unknown'
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

/** The messages that one reader has found, by writer. */
export class Readings {
  readonly #reader: string
  readonly #complaints: Complaints
  /** By writer and number: `partition:offset` where the message was found. */
  readonly #found = new Map<string, Map<number, string>>()
  /** By writer and partition: the highest number. */
  readonly #last = new Map<string, number>()
  readonly #nextOffsets: number[] = []
  #count = 0

  constructor(reader: string, complaints: Complaints) {
    this.#reader = reader
    this.#complaints = complaints
  }

  /** The number of messages read. */
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

  /** Compares the messages found with the writers' reports. */
  check(writers: readonly Numbered[]): void {
    for (const writer of writers) {
      const found = this.#found.get(writer.name) ?? new Map<number, string>()
      for (let n = 0; n < writer.count; n++) {
        const where = found.get(n)
        const outcome = writer.outcomeOf(n)
        if (outcome === 'there' && where === undefined) this.#complain(`${writer.name} ${n}: lost`)
        if (outcome === 'not there' && where !== undefined) {
          this.#complain(
            `${writer.name} ${n}: at ${where}, though reported as not persisted: ${writer.errorOf(n) ?? ''}`,
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
      if (!writers.some(writer => writer.name === name)) this.#complain(`unknown writer: ${name}`)
    }
  }

  #complain(line: string): void {
    this.#complaints.add(`${this.#reader}: ${line}`)
  }
}

/** The value of a message: writer, number and padding. */
export function valueOf(writer: string, n: number, fill: string): string {
  return `${writer}:${n}:${fill}`
}
