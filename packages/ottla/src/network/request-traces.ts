/** Requests on the channel `ottla:request`. */
import type { ChannelBroker, RequestPayload } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'

/** How a request ends. */
export interface Settlers<R> {
  /** @param bytes of the response, without its length prefix; left out if there is none */
  readonly resolve: (response: R, bytes?: number) => void
  readonly reject: (error: unknown) => void
}

/** Publishes the beginning of a request, and its end when it is settled by what this returns. */
export function tracedRequest<R>(
  request: Omit<RequestPayload, 'requestBytes'>,
  chunks: readonly Uint8Array[],
  { resolve, reject }: Settlers<R>,
): Settlers<R> {
  const requestBytes = chunks.reduce((sum, { length }) => sum + length, 0)
  const payload = channels.request.begin({ ...request, requestBytes })
  return {
    resolve: (response, bytes) => {
      const { throttleTimeMs = 0 } = (response ?? {}) as { readonly throttleTimeMs?: number }
      channels.request.succeed(payload, { responseBytes: bytes === undefined ? 0 : bytes + 4, throttleTimeMs })
      resolve(response)
    },
    reject: error => {
      channels.request.fail(payload, error)
      reject(error)
    },
  }
}

/** Of an endpoint, whose name may change. */
export function channelBroker({ name, host, port }: ChannelBroker): ChannelBroker {
  return { name, host, port }
}
