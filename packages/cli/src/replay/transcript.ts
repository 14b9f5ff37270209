/** A recording, put together: which connection an event belongs to, and which response answers which request. */
import {
  ClusterNames,
  Conversation,
  type OpaqueFrame,
  type Recording,
  type RecordingEvent,
  type WireMessage,
} from '@ottla/protocol'

/** A request, and what came of it. */
export interface Exchange {
  readonly request: WireMessage
  /** When it was sent, ms since the recording began. */
  readonly ms: number
  /** Null if it was never answered. */
  response: WireMessage | null
  /** How long the answer took, ms. */
  tookMs: number
}

/** One connection of the recording. */
export interface RecordedConnection {
  readonly number: number
  readonly client: string
  /** `host:port` */
  readonly broker: string
  readonly address: string
  readonly exchanges: Exchange[]
  isOpen: boolean
  /** Why it was refused or closed, and when; null if the recording ends before. */
  end: { readonly ms: number; readonly by: 'client' | 'broker'; readonly why: string } | null
}

/** An event with what is known about it. */
export interface Entry {
  readonly event: RecordingEvent
  /** Null for a name that is resolved. */
  readonly connection: RecordedConnection | null
  /** Null for events that are no frames, and for frames that were left out. */
  readonly message: WireMessage | OpaqueFrame | null
  /** How long an answer took, ms; null for everything else. */
  readonly tookMs: number | null
}

export interface Transcript {
  readonly entries: readonly Entry[]
  readonly connections: readonly RecordedConnection[]
  /** What the whole recording says about topics and brokers. */
  readonly names: ClusterNames
}

/** Puts a recording together. */
export function transcribe({ events }: Recording): Transcript {
  const names = new ClusterNames()
  const open = new Map<number, Ongoing>()
  const entries: Entry[] = []
  for (const event of events) {
    if (event.event === 'lookup') {
      entries.push({ event, connection: null, message: null, tookMs: null })
      continue
    }
    const ongoing = open.get(event.connection) ?? beginning(event)
    open.set(event.connection, ongoing)
    const { connection, unanswered, conversation } = ongoing
    if (event.event === 'open') connection.isOpen = true
    if (event.event === 'refused' || event.event === 'closed') {
      connection.end = { ms: event.ms, by: event.by ?? 'client', why: event.why ?? '' }
    }
    let message: WireMessage | OpaqueFrame | null = null
    let tookMs: number | null = null
    if ((event.event === 'request' || event.event === 'response') && event.frame !== null) {
      message = conversation[event.event](event.frame)
      if (message.api !== null) {
        names.learn(message)
        if (message.request === null) {
          const exchange = { request: message, ms: event.ms, response: null, tookMs: 0 }
          connection.exchanges.push(exchange)
          unanswered.set(message, exchange)
        } else {
          tookMs = answered(unanswered.get(message.request), message, event.ms)
        }
      }
    }
    entries.push({ event, connection, message, tookMs })
  }
  return { entries, connections: [...open.values()].map(({ connection }) => connection), names }
}

interface Ongoing {
  readonly connection: RecordedConnection
  readonly conversation: Conversation
  readonly unanswered: Map<WireMessage, Exchange>
}

// A recording that lost its beginning is shown as far as possible.
function beginning(event: Exclude<RecordingEvent, { readonly event: 'lookup' }>): Ongoing {
  const { client, broker, address } = event.event === 'connect' ? event : { client: '?', broker: '?', address: '?' }
  const connection = { number: event.connection, client, broker, address, exchanges: [], isOpen: false, end: null }
  return { connection, conversation: new Conversation(), unanswered: new Map() }
}

function answered(exchange: Exchange | undefined, response: WireMessage, ms: number): number | null {
  if (exchange === undefined) return null
  exchange.response = response
  exchange.tookMs = ms - exchange.ms
  return exchange.tookMs
}
