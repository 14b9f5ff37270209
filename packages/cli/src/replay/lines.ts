/** A recording as text: a line for each thing that happened. */
import { messageWords, type RecordingHeader } from '@ottla/protocol'
import { printable } from '../terminal/printable.ts'
import type { Entry, Transcript } from './transcript.ts'

/** The title, and the lines with their columns aligned. */
export function transcriptLines(header: RecordingHeader, { entries, names, connections }: Transcript): string[] {
  const clients = shortNames(connections.map(({ client }) => client))
  const rows = entries.map(entry => {
    const client = clients.get(clientOf(entry)) ?? clientOf(entry)
    const broker = entry.connection === null ? 'DNS' : names.broker(entry.connection.broker)
    const isAnswer = entry.event.event === 'response'
    return {
      ms: entry.event.ms.toFixed(3),
      way: isAnswer ? `${broker} > ${client}` : `${client} > ${broker}`,
      text: textOf(entry, names),
    }
  })
  const widthOf = (column: 'ms' | 'way'): number => Math.max(0, ...rows.map(row => row[column].length))
  const [msWidth, wayWidth] = [widthOf('ms'), widthOf('way')]
  const contents = header.payloads === 'keep' ? 'with the contents of messages' : 'contents are masked'
  const title = `recorded by ${header.by} from ${header.startedAt} on, ${contents}; times in ms`
  const lines = rows.map(({ ms, way, text }) => `${ms.padStart(msWidth)}  ${way.padEnd(wayWidth)}  ${text}`)
  return [title, '', ...lines].map(printable)
}

function clientOf({ event, connection }: Entry): string {
  return event.event === 'lookup' ? event.client : (connection?.client ?? '?')
}

function textOf({ event, connection, message, tookMs }: Entry, names: Transcript['names']): string {
  switch (event.event) {
    case 'lookup':
      return `${event.host} is ${event.why === undefined ? event.addresses.join(', ') : `unknown: ${event.why}`}`
    case 'connect':
      return `connection ${event.connection} to ${event.address}`
    case 'open':
      return `connection ${event.connection} is open`
    case 'refused':
    case 'closed':
      return `connection ${event.connection} ${event.event}${event.by === undefined ? '' : ` by the ${event.by}`}${event.why === undefined ? '' : `: ${event.why}`}`
    default: {
      if (message === null) return `a ${event.event} of ${event.sizeBytes} bytes, left out when it was recorded`
      const [title = '', ...words] = messageWords(message, names)
      const number = message.api === null ? '' : ` #${connection?.number ?? 0}.${message.correlationId}`
      const took = tookMs === null ? '' : `(${tookMs.toFixed(1)} ms)`
      return [`${title}${number}`, ...words, took].filter(part => part !== '').join('  ')
    }
  }
}

/** `alice#producer-1` is `alice`, if no other client is called so. */
function shortNames(clients: readonly string[]): Map<string, string> {
  const all = new Set(clients)
  const short = (name: string): string => name.replace(/#\w+-\d+$/, '')
  const isUnique = (name: string): boolean => [...all].filter(other => short(other) === short(name)).length === 1
  return new Map([...all].map(name => [name, isUnique(name) ? short(name) : name]))
}

/** One line of JSON for each thing that happened; bytes are in base64, 64-bit ids are strings. */
export function transcriptJson({ entries }: Transcript): string[] {
  return entries.map(({ event, connection, message, tookMs }) => {
    const { client, broker } = connection ?? { client: clientOfLookup(event), broker: undefined }
    if (event.event !== 'request' && event.event !== 'response') return jsonLine({ ...event, client, broker })
    const { ms, event: kind, connection: number, sizeBytes } = event
    const common = { ms, event: kind, connection: number, client, broker, sizeBytes }
    if (message === null) return jsonLine(common)
    if (message.api === null) return jsonLine({ ...common, why: message.why })
    const { api, version, correlationId, body } = message
    return jsonLine({ ...common, api: api.name, version, correlationId, ...(tookMs === null ? {} : { tookMs }), body })
  })
}

function clientOfLookup(event: Entry['event']): string | undefined {
  return event.event === 'lookup' ? event.client : undefined
}

function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === 'bigint') return field.toString()
    return isBufferJson(field) ? Buffer.from(field.data).toString('base64') : field
  })
}

// JSON.stringify hands over what a Buffer's own toJSON has made of it.
function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer'
}
