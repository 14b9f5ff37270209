/** One client's connection, passed on to its broker and recorded on the way. */
import type { Socket } from 'node:net'
import {
  ApiVersions,
  Conversation,
  FrameSplitter,
  encodeResponse,
  wireApi,
  withAddresses,
  type ApiVersionsResponse,
  type BrokerAddress,
  type WireMessage,
} from '@ottla/protocol'
import type { ConnectionRecorder } from 'ottla'
import { hostPort } from '../terminal/host-port.ts'

/** Kafka's default for socket.request.max.bytes. The first bytes of TLS would be the size of a larger one. */
const MOST_REQUEST_BYTES = 104_857_600
/** More than any sensible one. */
const MOST_RESPONSE_BYTES = 1024 * 1024 * 1024

export interface RelayOptions {
  readonly broker: string
  /** Begins to connect to the broker. */
  readonly connect: () => Socket
  readonly isTls: boolean
  /** The address in place of one that a broker advertises. */
  readonly addressFor: (address: BrokerAddress) => Promise<BrokerAddress>
  readonly record: (client: string, broker: string, address: string) => ConnectionRecorder
  readonly onProblem: (why: string) => void
}

/** Passes frames on in both directions, until either end closes. */
export class Relay {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #options: RelayOptions
  readonly #conversation = new Conversation()
  /** Responses are changed one after the other, so that they stay in order. */
  #responses = Promise.resolve()
  #recorder: ConnectionRecorder | null = null
  #isOpen = false
  #isEnded = false

  constructor(client: Socket, options: RelayOptions) {
    this.#client = client
    this.#options = options
    const broker = options.connect()
    this.#broker = broker
    const requests = new FrameSplitter(MOST_REQUEST_BYTES)
    const responses = new FrameSplitter(MOST_RESPONSE_BYTES)
    let failure: Error | null = null
    // Who the client is shows with its first request: nothing is recorded before.
    client.pause()
    broker.once(options.isTls ? 'secureConnect' : 'connect', () => {
      this.#isOpen = true
      this.#recorder?.opened()
      client.resume()
    })
    client.on('data', (chunk: Buffer) => this.#cut(requests, chunk, frame => this.#request(frame)))
    broker.on('data', (chunk: Buffer) => this.#cut(responses, chunk, frame => this.#response(frame)))
    client.on('drain', () => broker.resume())
    broker.on('drain', () => client.resume())
    client.on('error', () => client.destroy())
    broker.on('error', (error: Error) => {
      failure = error
    })
    client.on('close', () => this.#end('client', 'the client closed the connection'))
    broker.on('close', () =>
      this.#end('broker', failure === null ? 'the broker closed the connection' : failure.message),
    )
  }

  #cut(splitter: FrameSplitter, chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    try {
      splitter.push(chunk, onFrame)
    } catch (error) {
      const why = `closed a connection that is not Kafka's: ${error instanceof Error ? error.message : String(error)}`
      this.#options.onProblem(`${this.#options.broker}: ${why}; TLS of the client cannot be recorded`)
      this.#client.destroy()
    }
  }

  #request(frame: Buffer): void {
    const message = this.#conversation.request(frame)
    const recorder = this.#recording(message.api === null ? null : message.clientId)
    if (message.api === null) recorder.unreadable('request', frame.length)
    else recorder.sent([sizeOf(frame), frame])
    this.#pass(this.#broker, this.#client, [sizeOf(frame), frame])
  }

  #response(frame: Buffer): void {
    const message = this.#conversation.response(frame)
    const recorder = this.#recording(null)
    if (message.api === null) recorder.unreadable('response', frame.length)
    else recorder.received(frame)
    this.#responses = this.#responses.then(async () => {
      const changed = message.api === null ? null : await this.#changed(message)
      this.#pass(this.#client, this.#broker, changed ?? [sizeOf(frame), frame])
    })
    this.#responses.catch((error: unknown) => {
      this.#options.onProblem(error instanceof Error ? error.message : String(error))
      this.#client.destroy()
    })
  }

  /** What the client gets instead: addresses of listeners, and only versions that can be read here. Null: the same. */
  async #changed(response: WireMessage): Promise<readonly Uint8Array[] | null> {
    const own = new Map<string, BrokerAddress>()
    const advertised: BrokerAddress[] = []
    withAddresses(response, address => {
      advertised.push(address)
      return address
    })
    for (const address of advertised) {
      own.set(hostPort(address.host, address.port), await this.#options.addressFor(address))
    }
    const isVersions = response.api.key === ApiVersions.key
    if (own.size === 0 && !isVersions) return null
    const body = isVersions
      ? readableVersions(response.body as ApiVersionsResponse)
      : withAddresses(response, address => own.get(hostPort(address.host, address.port)) ?? address)
    return encodeResponse(response.api, response.version, response.correlationId, body)
  }

  #pass(to: Socket, from: Socket, chunks: readonly Uint8Array[]): void {
    if (to.destroyed) return
    to.cork()
    for (const chunk of chunks) to.write(chunk)
    to.uncork()
    if (to.writableNeedDrain) from.pause()
  }

  #recording(clientId: string | null): ConnectionRecorder {
    if (this.#recorder !== null) return this.#recorder
    const name = clientId === null || clientId === '' ? 'client' : clientId
    const address = this.#broker.remoteAddress ?? ''
    this.#recorder = this.#options.record(name, this.#options.broker, address)
    if (this.#isOpen) this.#recorder.opened()
    return this.#recorder
  }

  #end(by: 'client' | 'broker', why: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    if (!this.#isOpen && by === 'broker') this.#options.onProblem(`${this.#options.broker}: ${why}`)
    // A client that connects and asks nothing is not worth a line.
    if (this.#recorder !== null || by === 'broker') this.#recording(null).closed(by, why)
    // What the broker sent last is still being changed.
    const close = (): void => this.#client.destroySoon()
    void this.#responses.then(close, close)
    // What the client sent last is still on its way, unless there is no connection for it.
    if (this.#isOpen) this.#broker.destroySoon()
    else this.#broker.destroy()
  }
}

function sizeOf(frame: Buffer): Buffer {
  const size = Buffer.allocUnsafe(4)
  size.writeInt32BE(frame.length)
  return size
}

/** A client that knew newer versions would use them, and their addresses could not be changed. */
function readableVersions(body: ApiVersionsResponse): ApiVersionsResponse {
  const apiKeys = body.apiKeys.map(range => {
    const known = wireApi(range.apiKey)
    return known === undefined ? range : { ...range, maxVersion: Math.min(range.maxVersion, known.maxVersion) }
  })
  // A broker may only have versions that are newer.
  return { ...body, apiKeys: apiKeys.filter(({ minVersion, maxVersion }) => minVersion <= maxVersion) }
}
