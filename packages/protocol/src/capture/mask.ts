/** Takes credentials, and contents on demand, out of what one connection carries. */
import type { ApiFacts } from '../api.ts'
import { apis } from '../generated/apis.ts'
import { codecByName } from '../compression/codecs.ts'
import { readRequestHeader, readResponseHeader } from '../wire/frame.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { Reader } from '../wire/reader.ts'
import { answeredVersion } from './answered-version.ts'
import { maskRule, type Rewrite } from './mask-rules.ts'

/**
 * What is done about the contents of messages: their keys, values and the values of their headers.
 * @since 0.1.0
 */
export type Payloads = 'mask' | 'keep'

/** More than any client has in flight: requests to produce with acks=0 are never answered. */
const MOST_UNANSWERED = 10_000

/**
 * Loads what compressed batches need to be masked. Null if all of it is there.
 * @since 0.1.0
 */
export function maskReady(): Promise<void> | null {
  const loading = (['gzip', 'snappy', 'lz4', 'zstd'] as const).map(name => codecByName(name).ready())
  const waiting = loading.filter(each => each !== null)
  if (waiting.length === 0) return null
  // Batches of a codec that cannot be loaded are left out.
  return Promise.allSettled(waiting).then(() => undefined)
}

/**
 * Masks the frames of one connection. Frames are without their size, and those of each direction have to come in order.
 * A frame is changed in a copy.
 * @since 0.1.0
 */
export class FrameMask {
  readonly #payloads: Payloads
  readonly #unanswered = new Map<number, { readonly apiKey: number; readonly version: number }>()

  /** @param payloads - whether contents are masked, too; credentials always are */
  constructor(payloads: Payloads) {
    this.#payloads = payloads
  }

  /** What may be shown of a request; null for a frame that is none, which may hold anything. */
  request(frame: Buffer): Buffer | null {
    try {
      const r = new Reader(frame)
      const facts = factsOf(r.int16())
      if (facts === undefined) return null
      r.position = 0
      const { apiKey, apiVersion: version, correlationId } = readRequestHeader(r, () => facts.flexibleFrom)
      if (version < facts.minVersion || version > facts.maxVersion) return null
      this.#expect(correlationId, apiKey, version)
      return rewritten(frame, r, version, this.#rewrite(apiKey, 'request'))
    } catch (error) {
      if (error instanceof ProtocolError) return null
      throw error
    }
  }

  /** What may be shown of a response; null for a frame that is none. */
  response(frame: Buffer): Buffer | null {
    try {
      const r = new Reader(frame)
      const correlationId = r.int32()
      const request = this.#unanswered.get(correlationId)
      const facts = request === undefined ? undefined : factsOf(request.apiKey)
      if (request === undefined || facts === undefined) return null
      this.#unanswered.delete(correlationId)
      const version = answeredVersion(facts, request.version, frame)
      r.position = 0
      readResponseHeader(r, facts, version)
      return rewritten(frame, r, version, this.#rewrite(request.apiKey, 'response'))
    } catch (error) {
      if (error instanceof ProtocolError) return null
      throw error
    }
  }

  #expect(correlationId: number, apiKey: number, version: number): void {
    this.#unanswered.set(correlationId, { apiKey, version })
    if (this.#unanswered.size <= MOST_UNANSWERED) return
    for (const oldest of this.#unanswered.keys()) {
      this.#unanswered.delete(oldest)
      return
    }
  }

  #rewrite(apiKey: number, kind: 'request' | 'response'): Rewrite | null {
    const rule = maskRule(apiKey)
    return rule === undefined || (rule.what === 'contents' && this.#payloads === 'keep') ? null : rule[kind]
  }
}

function factsOf(apiKey: number): ApiFacts | undefined {
  return apis.find(({ key }) => key === apiKey)
}

/** @param r behind the header */
function rewritten(frame: Buffer, r: Reader, version: number, rewrite: Rewrite | null): Buffer {
  if (rewrite === null) return frame
  const header = frame.subarray(0, r.position)
  const body = rewrite(r, version)
  if (r.remaining > 0) throw new ProtocolError(`${r.remaining} bytes are left over`)
  return Buffer.concat([header, body])
}
