/** A member that can crash: a thread of its own, which is ended without its client being told. */
import { Worker } from 'node:worker_threads'
import type { ConsumerConfig } from 'ottla'

/** How often each message was read, seen by all threads at once, so that nothing is forgotten in a crash. */
export type Readings = Uint8Array<SharedArrayBuffer>

export interface FragileOrder {
  readonly config: ConsumerConfig
  readonly topic: string
  readonly readings: Readings
}

const program = new URL('fragile.worker.ts', import.meta.url).href
// A thread does not inherit the loader that lets its parent run TypeScript.
const start = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(program)}) })`

export class FragileMember {
  readonly #worker: Worker

  constructor(order: FragileOrder) {
    this.#worker = new Worker(start, { eval: true, workerData: order })
  }

  /** Its sockets are closed by the system; the coordinator finds out when the session ends. */
  async crash(): Promise<void> {
    await this.#worker.terminate()
  }
}
