/** Recordings that are made up, and a client's end of a connection in memory. */
import { Duplex } from 'node:stream'
import {
  FrameSplitter,
  encodeRequest,
  encodeResponse,
  Reader,
  readResponseHeader,
  type Api,
  type Decoded,
  type Recording,
  type RecordingEvent,
  type ServerApi,
} from '@ottla/protocol'

type Untimed<E = RecordingEvent> = E extends RecordingEvent ? Omit<E, 'ms'> : never

/** Writes a recording, event by event. */
export class Story {
  readonly #events: RecordingEvent[] = []
  #ms = 0
  #correlationId = 0

  wait(ms: number): this {
    this.#ms += ms
    return this
  }

  connect(connection: number, broker = 'b1:9092', client = 'alice#producer-1'): this {
    return this.add({ event: 'connect', connection, client, broker, address: '10.0.0.1' })
  }

  open(connection: number, broker = 'b1:9092', client = 'alice#producer-1'): this {
    return this.connect(connection, broker, client).add({ event: 'open', connection })
  }

  ask<Req, Res>(connection: number, api: Api<Req, Res>, version: number, body: Req): this {
    const frame = frameOf(encodeRequest(api, version, ++this.#correlationId, 'alice', body))
    return this.add({ event: 'request', connection, frame, sizeBytes: frame.length })
  }

  answer<Req, Res>(connection: number, api: ServerApi<Req, Res>, version: number, body: Res): this {
    const frame = frameOf(encodeResponse(api, version, this.#correlationId, body))
    return this.add({ event: 'response', connection, frame, sizeBytes: frame.length })
  }

  add(event: Untimed): this {
    this.#events.push({ ...event, ms: this.#ms }) // the fields of one kind, and the time
    return this
  }

  get recording(): Recording {
    const header = { startedAt: '2026-11-29T00:00:00.000Z', by: 'ottla 0.1.0', payloads: 'mask' } as const
    return { header, events: this.#events, isCut: false }
  }
}

function frameOf(chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat(chunks).subarray(4)
}

/** One end of a connection in memory. */
export class MemorySocket extends Duplex {
  #peer: MemorySocket | null = null

  static pair(): [MemorySocket, MemorySocket] {
    const [a, b] = [new MemorySocket(), new MemorySocket()]
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  override _read(): void {
    // The peer pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#peer?.push(chunk)
    done()
  }

  override _final(done: () => void): void {
    this.#peer?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#peer?.destroyed === false) this.#peer.push(null)
    done(error)
  }
}

/** A client that asks one request after the other. */
export class WireEnd {
  readonly #socket: Duplex
  readonly #answers: ((frame: Buffer | null) => void)[] = []
  readonly closed: Promise<void>
  #correlationId = 100

  constructor(socket: Duplex) {
    this.#socket = socket
    const splitter = new FrameSplitter(1e6)
    socket.on('data', (chunk: Buffer) => splitter.push(chunk, frame => this.#answers.shift()?.(frame)))
    this.closed = new Promise(resolve => {
      const end = (): void => {
        for (const answer of this.#answers.splice(0)) answer(null)
        resolve()
      }
      socket.on('end', end)
      socket.on('close', end)
    })
  }

  /** Sends a request that gets no answer. */
  send<Req, Res>(api: Api<Req, Res>, version: number, body: Req): void {
    this.#socket.write(Buffer.concat(encodeRequest(api, version, ++this.#correlationId, 'alice', body)))
  }

  /** The answer, or null if the broker hangs up. */
  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res> | null> {
    const correlationId = ++this.#correlationId
    return new Promise((resolve, reject) => {
      this.#answers.push(frame => {
        if (frame === null) {
          resolve(null)
          return
        }
        const r = new Reader(frame)
        const answered = readResponseHeader(r, api, version)
        if (answered === correlationId) resolve(api.readResponse(r, version))
        else reject(new Error(`an answer to ${answered}`))
      })
      this.#socket.write(Buffer.concat(encodeRequest(api, version, correlationId, 'alice', body)))
    })
  }
}
