/** What one run of the benchmark of the facades measures, and in which process. */

export type Work = 'produce' | 'consume'

/** What a run is to do. */
export interface Job {
  readonly work: Work
  readonly brokers: string
  readonly topic: string
  /** Messages of the same work before the clock starts, so that compiled code is measured, not its compilation. */
  readonly warmUp: number
  /** Messages that count. */
  readonly messages: number
}

export interface Measured {
  readonly perSecond: number
  /** Of the client's process, in µs for each message. */
  readonly cpuMicros: number
}

/** How many messages one call sends, and how many calls wait for their outcome at once. */
export const BATCH = 1000
export const IN_FLIGHT = 4
export const VALUE_BYTES = 100

/** Counts what is done; the clock runs from the end of the warm-up to the last message. */
export class Meter {
  /** Resolves with the last message. */
  readonly measured: Promise<Measured>
  readonly #job: Job
  #resolve!: (measured: Measured) => void // set by the executor, which runs within the constructor
  #done = 0
  #start: { readonly done: number; readonly at: number; readonly cpu: NodeJS.CpuUsage } | null = null

  constructor(job: Job) {
    this.#job = job
    this.measured = new Promise(resolve => (this.#resolve = resolve))
  }

  /** So many messages are acknowledged, or read. */
  add(count: number): void {
    const { warmUp, messages } = this.#job
    this.#done += count
    if (this.#start === null) {
      if (this.#done >= warmUp) this.#start = { done: this.#done, at: performance.now(), cpu: process.cpuUsage() }
      return
    }
    if (this.#done < warmUp + messages) return
    const { done, at, cpu } = this.#start
    const { user, system } = process.cpuUsage(cpu)
    const counted = this.#done - done
    this.#resolve({ perSecond: (1000 * counted) / (performance.now() - at), cpuMicros: (user + system) / counted })
  }
}

/** The calls of `send` that a run makes, a few at a time. */
export async function sendAll({ warmUp, messages }: Job, send: () => Promise<void>): Promise<void> {
  let left = (warmUp + messages) / BATCH
  const worker = async (): Promise<void> => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}
