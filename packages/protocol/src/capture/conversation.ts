/** Decodes what one connection carries: requests of a client, and the responses to them. */
import { wireApis, type WireApi } from '../generated/wire-apis.ts'
import { Produce } from '../generated/produce.ts'
import { readRequestHeader, readResponseHeader } from '../wire/frame.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { Reader } from '../wire/reader.ts'
import { answeredVersion } from './answered-version.ts'

/**
 * A request or a response, decoded.
 * @since 0.1.0
 */
export interface WireMessage {
  readonly kind: 'request' | 'response'
  readonly api: WireApi
  readonly version: number
  readonly correlationId: number
  /** Of the request, in a response, too. */
  readonly clientId: string | null
  /** The decoded message; `api` says of which type. */
  readonly body: unknown
  /** What a response answers; null in a request. */
  readonly request: WireMessage | null
}

/**
 * A frame that cannot be decoded.
 * @since 0.1.0
 */
export interface OpaqueFrame {
  readonly kind: 'request' | 'response'
  readonly api: null
  readonly sizeBytes: number
  readonly why: string
}

let known: Map<number, WireApi> | null = null

/**
 * Both sides of an API, or undefined for an unknown key.
 * @since 0.1.0
 */
export function wireApi(apiKey: number): WireApi | undefined {
  known ??= wireApis()
  return known.get(apiKey)
}

/**
 * Whether a request is followed by a response: not one to produce with acks=0.
 * @since 0.1.0
 */
export function isAnswered(message: WireMessage): boolean {
  return message.api.key !== Produce.key || (message.body as { readonly acks: number }).acks !== 0
}

/**
 * One connection. Frames are without their size; those of each direction have to come in order.
 * @since 0.1.0
 */
export class Conversation {
  readonly #unanswered = new Map<number, WireMessage>()

  /** Decodes what the client sent. Never throws. */
  request(frame: Uint8Array): WireMessage | OpaqueFrame {
    try {
      const r = new Reader(frame)
      const api = wireApi(r.int16())
      if (api === undefined) throw new ProtocolError('its API is unknown')
      r.position = 0
      const { apiVersion: version, correlationId, clientId } = readRequestHeader(r, () => api.flexibleFrom)
      if (version < api.minVersion || version > api.maxVersion) {
        throw new ProtocolError(`${api.name} has no version ${version}`)
      }
      const body = api.readRequest(r, version)
      checkEnd(r)
      const message: WireMessage = { kind: 'request', api, version, correlationId, clientId, body, request: null }
      if (isAnswered(message)) this.#unanswered.set(correlationId, message)
      return message
    } catch (error) {
      return opaque('request', frame, error)
    }
  }

  /** Decodes what the broker sent. Never throws. */
  response(frame: Uint8Array): WireMessage | OpaqueFrame {
    try {
      const correlationId = new Reader(frame).int32()
      const request = this.#unanswered.get(correlationId)
      if (request === undefined) throw new ProtocolError(`no request has the correlation id ${correlationId}`)
      this.#unanswered.delete(correlationId)
      const { api, clientId } = request
      const version = answeredVersion(api, request.version, frame)
      const r = new Reader(frame)
      readResponseHeader(r, api, version)
      const body = api.readResponse(r, version)
      checkEnd(r)
      return { kind: 'response', api, version, correlationId, clientId, body, request }
    } catch (error) {
      return opaque('response', frame, error)
    }
  }
}

function checkEnd(r: Reader): void {
  if (r.remaining > 0) throw new ProtocolError(`${r.remaining} bytes are left over`)
}

function opaque(kind: OpaqueFrame['kind'], frame: Uint8Array, error: unknown): OpaqueFrame {
  if (!(error instanceof ProtocolError)) throw error
  return { kind, api: null, sizeBytes: frame.length, why: error.message }
}
