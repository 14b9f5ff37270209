/** What every client says to the brokers and hears from them, as it says and hears it, for those that judge it. */
import { Conversation, FrameSplitter, isAnswered, type WireMessage } from '@ottla/protocol'
import type { Watched } from './watched.ts'

const MOST_FRAME_BYTES = 104_857_600
const BROKER = /^broker-(\d+)$/

/** A request, as the client knows it. */
export interface Exchange {
  /** The client's host. */
  readonly host: string
  readonly broker: number
  /** The number of the connection. */
  readonly connection: number
  readonly request: WireMessage
  /** When it was sent, virtual ms. */
  readonly sentAt: number
}

/** Judges what it sees of the requests that it asks for. */
export interface WireJudge {
  /** Keys of APIs. */
  readonly apis: readonly number[]
  /** The client sends it. */
  onRequest?(exchange: Exchange): void
  /** The client gets the answer. */
  onResponse?(exchange: Exchange, response: WireMessage): void
  /** The client has lost, or closed, the connection: there will be no answer. */
  onLost?(exchange: Exchange): void
}

/** The client's end of a connection. */
interface End {
  readonly host: string
  readonly broker: number
  readonly connection: number
  readonly conversation: Conversation
  readonly requests: FrameSplitter
  readonly responses: FrameSplitter
  /** By correlation id. */
  readonly unanswered: Map<number, Exchange>
}

export class WireWatch {
  readonly #world: Watched
  readonly #judges = new Map<number, WireJudge[]>()
  readonly #ends = new Map<number, End>()

  constructor(world: Watched, judges: readonly WireJudge[]) {
    this.#world = world
    for (const judge of judges) for (const api of judge.apis) this.#judgesOf(api).push(judge)
    world.simulation.network.observe({
      onSent: (from, to, connection, data) => {
        const broker = BROKER.exec(to)?.[1]
        if (broker !== undefined) this.#sent(from, Number(broker), connection, data)
      },
      onArrival: (from, _to, connection, data) => {
        if (BROKER.test(from)) this.#arrived(connection, data)
      },
      onClosed: (host, _peer, connection) => {
        if (!BROKER.test(host)) this.#closed(connection)
      },
    })
  }

  #judgesOf(api: number): WireJudge[] {
    let judges = this.#judges.get(api)
    if (judges === undefined) this.#judges.set(api, (judges = []))
    return judges
  }

  #sent(host: string, broker: number, connection: number, data: Buffer): void {
    let end = this.#ends.get(connection)
    if (end === undefined) {
      end = {
        host,
        broker,
        connection,
        conversation: new Conversation(),
        requests: new FrameSplitter(MOST_FRAME_BYTES),
        responses: new FrameSplitter(MOST_FRAME_BYTES),
        unanswered: new Map(),
      }
      this.#ends.set(connection, end)
    }
    const { requests } = end
    requests.push(data, frame => this.#request(end, frame))
  }

  #request(end: End, frame: Buffer): void {
    const judges = this.#judges.get(frame.readInt16BE(0))
    if (judges === undefined) return
    const message = end.conversation.request(frame)
    if (message.api === null) {
      this.#world.complain(`${end.host} sends a request that cannot be read: ${message.why}`)
      return
    }
    const { host, broker, connection } = end
    const exchange = { host, broker, connection, request: message, sentAt: this.#world.now }
    if (isAnswered(message)) end.unanswered.set(message.correlationId, exchange)
    for (const judge of judges) judge.onRequest?.(exchange)
  }

  #arrived(connection: number, data: Buffer): void {
    const end = this.#ends.get(connection)
    end?.responses.push(data, frame => this.#response(end, frame))
  }

  #response(end: End, frame: Buffer): void {
    const correlationId = frame.readInt32BE(0)
    const exchange = end.unanswered.get(correlationId)
    if (exchange === undefined) return
    end.unanswered.delete(correlationId)
    const message = end.conversation.response(frame)
    if (message.api === null) {
      this.#world.complain(`${end.host} gets a response that cannot be read: ${message.why}`)
      return
    }
    for (const judge of this.#judges.get(message.api.key) ?? []) judge.onResponse?.(exchange, message)
  }

  #closed(connection: number): void {
    const end = this.#ends.get(connection)
    if (end === undefined) return
    this.#ends.delete(connection)
    for (const exchange of end.unanswered.values()) {
      for (const judge of this.#judges.get(exchange.request.api.key) ?? []) judge.onLost?.(exchange)
    }
  }
}
