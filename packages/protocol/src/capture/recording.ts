/**
 * The file of a recording: a line of JSON that says what it is, then one for each thing that happened.
 * Whoever reads one has to expect fields that are not known here; a change that is not compatible has another version.
 */
import { ProtocolError } from '../wire/protocol-error.ts'
import type { Payloads } from './mask.ts'

/**
 * The first line.
 * @since 0.1.0
 */
export interface RecordingHeader {
  /** When the recording began, ISO 8601. */
  readonly startedAt: string
  /** What recorded: `ottla 0.1.0`. */
  readonly by: string
  readonly payloads: Payloads
}

/**
 * What every event of a recording has.
 * @since 0.1.0
 */
export interface Happened {
  /** Milliseconds since the recording began. */
  readonly ms: number
}

/**
 * A name was resolved, or could not be.
 * @since 0.1.0
 */
export interface LookupEvent extends Happened {
  readonly event: 'lookup'
  readonly client: string
  readonly host: string
  /** None if `why` says what went wrong. */
  readonly addresses: readonly string[]
  readonly why?: string
}

/**
 * A connection is being opened.
 * @since 0.1.0
 */
export interface ConnectEvent extends Happened {
  readonly event: 'connect'
  /** Counts from 1 within the recording. */
  readonly connection: number
  /** `alice#producer-1` */
  readonly client: string
  /** `host:port`, as configured or advertised. */
  readonly broker: string
  /** The address that the host name stands for. */
  readonly address: string
}

/**
 * A connection was established; or never was, or is no longer.
 * @since 0.1.0
 */
export interface ConnectionEvent extends Happened {
  readonly event: 'open' | 'refused' | 'closed'
  readonly connection: number
  /** Who closed it. */
  readonly by?: 'client' | 'broker'
  readonly why?: string
}

/**
 * A request or a response.
 * @since 0.1.0
 */
export interface FrameEvent extends Happened {
  readonly event: 'request' | 'response'
  readonly connection: number
  /** The frame without its size; null for one that could not be masked, and was left out. */
  readonly frame: Buffer | null
  /** Of the frame on the wire. */
  readonly sizeBytes: number
}

/**
 * One line of a recording.
 * @since 0.1.0
 */
export type RecordingEvent = LookupEvent | ConnectEvent | ConnectionEvent | FrameEvent

/**
 * A recording.
 * @since 0.1.0
 */
export interface Recording {
  readonly header: RecordingHeader
  readonly events: readonly RecordingEvent[]
  /** Whether the last line is incomplete: the program ended while it was written. */
  readonly isCut: boolean
}

const WHAT = 'wire recording'
const VERSION = 1

/**
 * The first line of a file, with its end.
 * @since 0.1.0
 */
export function recordingHeaderLine(header: RecordingHeader): string {
  return `${JSON.stringify({ ottla: WHAT, version: VERSION, ...header })}\n`
}

/**
 * The line of an event, with its end.
 * @since 0.1.0
 */
export function recordingEventLine(event: RecordingEvent): string {
  const ms = Math.round(event.ms * 1000) / 1000
  if (event.event !== 'request' && event.event !== 'response') return `${JSON.stringify({ ...event, ms })}\n`
  const { event: kind, connection, sizeBytes, frame } = event
  const bytes = frame?.toString('base64') ?? null
  return `${JSON.stringify({ ms, event: kind, connection, sizeBytes, frame: bytes })}\n`
}

/**
 * Reads the text of a file.
 * @throws ProtocolError that names the line, for what is not a recording of this version
 * @since 0.1.0
 */
export function parseRecording(text: string): Recording {
  const lines = text.split('\n')
  const last = lines.pop() // empty, if the last line was written to its end
  const header = parseHeader(lines[0] ?? '')
  const events = lines.slice(1).map((line, i) => parseEvent(line, i + 2))
  return { header, events, isCut: last !== '' }
}

type Fields = Readonly<Record<string, unknown>>

function parseHeader(line: string): RecordingHeader {
  const fields = objectOf(line)
  if (fields?.['ottla'] !== WHAT) throw new ProtocolError('it is not a recording: its first line does not say so')
  if (fields['version'] !== VERSION) {
    throw new ProtocolError(
      `it is a recording of version ${String(fields['version'])}; version ${VERSION} is known here`,
    )
  }
  const { startedAt, by, payloads } = fields
  return { startedAt: String(startedAt), by: String(by), payloads: payloads === 'keep' ? 'keep' : 'mask' }
}

function parseEvent(text: string, number: number): RecordingEvent {
  const fields = objectOf(text)
  if (fields === null) throw new ProtocolError(`line ${number} is not an object of JSON`)
  const line = new Line(fields, number)
  const ms = line.number('ms')
  const event = line.text('event')
  const why = fields['why'] === undefined ? {} : { why: line.text('why') }
  switch (event) {
    case 'lookup': {
      const addresses = Array.isArray(fields['addresses']) ? fields['addresses'].map(String) : []
      return { ms, event, client: line.text('client'), host: line.text('host'), addresses, ...why }
    }
    case 'connect': {
      const connection = line.number('connection')
      const [client, broker, address] = [line.text('client'), line.text('broker'), line.text('address')]
      return { ms, event, connection, client, broker, address }
    }
    case 'open':
    case 'refused':
    case 'closed':
      return {
        ms,
        event,
        connection: line.number('connection'),
        ...(fields['by'] === 'client' || fields['by'] === 'broker' ? { by: fields['by'] } : {}),
        ...why,
      }
    case 'request':
    case 'response': {
      const frame = fields['frame'] === null ? null : Buffer.from(line.text('frame'), 'base64')
      return { ms, event, connection: line.number('connection'), sizeBytes: line.number('sizeBytes'), frame }
    }
    default:
      throw new ProtocolError(`line ${number} has an event '${event}', which is not known here`)
  }
}

/** One line, whose fields are checked when they are read. */
class Line {
  readonly #fields: Fields
  readonly #number: number

  constructor(fields: Fields, number: number) {
    this.#fields = fields
    this.#number = number
  }

  text(name: string): string {
    const value = this.#fields[name]
    if (typeof value === 'string') return value
    throw new ProtocolError(`line ${this.#number} has no text '${name}'`)
  }

  number(name: string): number {
    const value = this.#fields[name]
    if (typeof value === 'number') return value
    throw new ProtocolError(`line ${this.#number} has no number '${name}'`)
  }
}

function objectOf(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Fields) : null
  } catch {
    return null
  }
}
