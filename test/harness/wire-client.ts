import { connect, type Socket } from 'node:net'
import { FrameSplitter, Reader, encodeRequest, readResponseHeader, type Api, type Decoded } from '@ottla/protocol'
import { closed, opened } from './each-test/open-things.ts'

interface Waiting {
  readonly api: Api<unknown, unknown>
  readonly version: number
  readonly resolve: (response: unknown) => void
  readonly reject: (error: Error) => void
}

/** Sends requests to one broker, over one connection. */
export class WireClient {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  readonly closed: Promise<void>
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter(1e8)
    socket.on('data', chunk => splitter.push(chunk, frame => this.#receive(frame)))
    socket.on('error', () => undefined)
    this.closed = new Promise(resolve => {
      socket.on('close', () => {
        closed(this)
        for (const { reject } of this.#waiting) reject(new Error('the broker hung up'))
        resolve()
      })
    })
  }

  static async connect(bootstrapServers: string, index = 0): Promise<WireClient> {
    const [host = '', port = ''] = (bootstrapServers.split(',')[index] ?? '').split(':')
    const socket = connect({ host, port: Number(port), noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const client = new WireClient(socket)
    opened(client, 'WireClient', () => client.close())
    return client
  }

  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> {
    return new Promise<Decoded<Res>>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the connection is closed'))
        return
      }
      // Responses arrive in the order of the requests; each is decoded by its request's API.
      this.#waiting.push({ api, version, resolve, reject } as unknown as Waiting)
      for (const chunk of encodeRequest(api, version, this.#correlationId++, 'test', body)) this.#socket.write(chunk)
    })
  }

  /** Sends raw bytes. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    closed(this)
    this.#socket.destroy()
  }

  #receive(frame: Buffer): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) return
    const reader = new Reader(frame)
    readResponseHeader(reader, waiting.api, waiting.version)
    waiting.resolve(waiting.api.readResponse(reader, waiting.version))
  }
}
