/** Plays the brokers of a recording, on connections that come from anywhere. */
import type { Duplex } from 'node:stream'
import {
  Conversation,
  FrameSplitter,
  encodeResponse,
  isAnswered,
  messageWords,
  withAddresses,
  type BrokerAddress,
  type ClusterNames,
  type WireMessage,
} from '@ottla/protocol'
import type { Reply, Script, ScriptedConnection } from './script.ts'

const MOST_FRAME_BYTES = 104_857_600

export interface BrokerSide {
  readonly script: Script
  readonly names: ClusterNames
  /** Where a recorded broker listens now. */
  readonly addressOf: (address: BrokerAddress) => BrokerAddress
  /** By which recorded times are divided; Infinity for no delays. */
  readonly speed: number
  /** Calls back after so many ms. */
  readonly later: (ms: number, callback: () => void) => void
  readonly report: (line: string) => void
}

/** Serves one connection to the recorded broker `broker`, `host:port`. */
export function serve(socket: Duplex, broker: string, side: BrokerSide): void {
  const name = side.names.broker(broker)
  socket.on('error', () => socket.destroy())
  const scripted = side.script.connect(broker)
  if (scripted === null) {
    side.report(`${name}  refused, as recorded`)
    socket.destroy()
    return
  }
  const serving = new Serving(socket, name, scripted, side)
  socket.on('data', (chunk: Buffer) => serving.data(chunk))
  // A client that half-closes is gone.
  socket.on('end', () => socket.destroy())
}

class Serving {
  readonly #socket: Duplex
  readonly #name: string
  readonly #scripted: ScriptedConnection
  readonly #side: BrokerSide
  readonly #conversation = new Conversation()
  readonly #splitter = new FrameSplitter(MOST_FRAME_BYTES)
  /** Requests in the order of their arrival, which is that of the answers. */
  readonly #waiting: WireMessage[] = []
  #isBusy = false

  constructor(socket: Duplex, name: string, scripted: ScriptedConnection, side: BrokerSide) {
    this.#socket = socket
    this.#name = name
    this.#scripted = scripted
    this.#side = side
  }

  data(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk, frame => this.#receive(frame))
    } catch {
      this.#side.report(`${this.#name}  closed: the client does not speak Kafka`)
      this.#socket.destroy()
      return
    }
    this.#next()
  }

  #receive(frame: Buffer): void {
    const request = this.#conversation.request(frame)
    if (request.api !== null) {
      this.#waiting.push(request)
      return
    }
    this.#side.report(`${this.#name}  closed: ${request.sizeBytes} bytes that are not a request: ${request.why}`)
    this.#socket.destroy()
  }

  #next(): void {
    while (!this.#isBusy && !this.#socket.destroyed) {
      const request = this.#waiting.shift()
      if (request === undefined) return
      this.#reply(request)
    }
  }

  #reply(request: WireMessage): void {
    const reply = this.#scripted.reply(request)
    this.#side.report(`${this.#name}  ${messageWords(request, this.#side.names).join('  ')}  ${replyWords(reply)}`)
    if (reply.kind === 'unknown' || reply.kind === 'unanswered') {
      // Answers come in order: behind a request that gets none there is only silence.
      if (isAnswered(request)) this.#isBusy = true
      else this.#endAsRecorded()
      return
    }
    this.#isBusy = true
    this.#after(reply.tookMs, () => {
      this.#isBusy = false
      if (this.#socket.destroyed) return
      if (reply.kind === 'hang-up') {
        this.#socket.destroy()
        return
      }
      if (isAnswered(request)) this.#write(request, reply)
      this.#endAsRecorded()
      this.#next()
    })
  }

  #endAsRecorded(): void {
    const { endsAfterMs } = this.#scripted
    if (endsAfterMs !== null) this.#after(endsAfterMs, () => this.#socket.destroy())
  }

  #after(ms: number, callback: () => void): void {
    this.#side.later(ms / this.#side.speed, callback)
  }

  #write(request: WireMessage, { response, body }: Reply & { readonly kind: 'answer' }): void {
    const { api, correlationId } = request
    // Not in the version of the request: a broker that did not know it.
    const isOther = response.version !== response.request?.version
    const version = isOther ? response.version : request.version
    const changed = withAddresses({ ...response, body }, this.#side.addressOf)
    this.#socket.write(Buffer.concat(encodeResponse(api, version, correlationId, changed)))
  }
}

function replyWords(reply: Reply): string {
  switch (reply.kind) {
    case 'answer':
      return `answered as on connection ${reply.number} (${reply.tookMs.toFixed(1)} ms)`
    case 'hang-up':
      return `hung up as on connection ${reply.number}`
    case 'unanswered':
      return `not answered, as on connection ${reply.number}`
    case 'unknown':
      return 'not answered: the recording has no more of it'
  }
}
