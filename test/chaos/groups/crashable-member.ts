/** A member that can crash: it runs in its own thread, which is terminated without closing the client. */
import { Worker } from 'node:worker_threads'
import type { ConsumerConfig } from 'ottla'

/** How often each message was read; shared by all threads, so that a crash loses nothing. */
export type ReadCounts = Uint8Array<SharedArrayBuffer>

export interface CrashableMemberOptions {
  readonly config: ConsumerConfig
  readonly topic: string
  readonly readCounts: ReadCounts
}

const program = new URL('crashable-member.worker.ts', import.meta.url).href
// A thread does not inherit the loader that lets its parent run TypeScript.
const start = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(program)}) })`

export class CrashableMember {
  readonly #worker: Worker

  constructor(order: CrashableMemberOptions) {
    this.#worker = new Worker(start, { eval: true, workerData: order })
  }

  /** The system closes its sockets; the coordinator notices when the session times out. */
  async crash(): Promise<void> {
    await this.#worker.terminate()
  }
}
