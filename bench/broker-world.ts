/** An embedded cluster in a process of its own, and bare connections to it, for benchmarks. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  CreateTopics,
  FrameSplitter,
  Reader,
  encodeRequest,
  readResponseHeader,
  type Api,
  type Decoded,
} from '@ottla/protocol'
import type { Started, Used } from './broker-process.ts'

/** The cluster in its process. */
export class World implements AsyncDisposable {
  readonly startMs: number
  readonly address: string
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, address: string, startMs: number) {
    this.#process = child
    this.address = address
    this.startMs = startMs
  }

  static async start(brokers: number): Promise<World> {
    const program = fileURLToPath(new URL('broker-process.ts', import.meta.url))
    const child = fork(program, [String(brokers)], { execArgv: [...process.execArgv, '--expose-gc'] })
    const [told] = (await once(child, 'message')) as [Started] // as it sends it
    return new World(child, told.bootstrapServers.split(',')[0] ?? '', told.startMs)
  }

  async used(): Promise<Used> {
    this.#process.send('used')
    const [used] = (await once(this.#process, 'message')) as [Used] // as it sends it
    return used
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.disconnect()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}

/** Requests on one socket, answered in their order. */
export class Connection {
  readonly #socket: ReturnType<typeof connect>
  readonly #waiting: ((frame: Buffer) => void)[] = []

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket
    const splitter = new FrameSplitter(1e8)
    // The end of the cluster's process ends it too.
    socket.on('error', () => undefined)
    socket.on('data', chunk => splitter.push(chunk, frame => this.#waiting.shift()?.(frame)))
  }

  static async open(address: string): Promise<Connection> {
    const [host = '', port = ''] = address.split(':')
    const socket = connect({ host, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> {
    return new Promise<Decoded<Res>>(resolve => {
      this.#waiting.push(frame => {
        const reader = new Reader(frame)
        readResponseHeader(reader, api, version)
        resolve(api.readResponse(reader, version))
      })
      this.#socket.cork()
      for (const chunk of encodeRequest(api, version, 0, 'bench', body)) this.#socket.write(chunk)
      this.#socket.uncork()
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

export async function createTopics(connection: Connection, names: readonly string[], numPartitions = 1): Promise<void> {
  const topics = names.map(name => ({ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }))
  const answer = await connection.ask(CreateTopics, 7, { topics, timeoutMs: 60_000 })
  const refused = answer.topics.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) throw new Error(`${refused.name}: error ${refused.errorCode}`)
}

export async function took(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}
