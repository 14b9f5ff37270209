/** Requests of `ottla`, as kafkajs's network events. */
import type { EventOf } from 'ottla'
import type { InstrumentationEmitter } from '../observe/emitter.ts'

type RequestEvent = EventOf<'request'>

/** Names of the events that clients of all kinds have. */
export type NetworkEvents = Readonly<Record<'REQUEST' | 'REQUEST_TIMEOUT' | 'REQUEST_QUEUE_SIZE', string>>

/** A client of `ottla`. */
interface Requesting {
  on(type: 'request', listener: (event: RequestEvent) => void): unknown
}

/** Emits REQUEST, REQUEST_TIMEOUT and REQUEST_QUEUE_SIZE for all requests of a client. @param clientId as it is configured */
export function reportRequests<E extends NetworkEvents & Record<string, string>>(
  client: Requesting,
  emitter: InstrumentationEmitter<E>,
  clientId: string,
): void {
  client.on('request', event => {
    const { apiKey, apiName, apiVersion, correlationId, brokerName, sentAt, durationMs, sizeBytes, error } = event
    const broker = (): string => brokerName.replace(/\/[^/]*$/, '')
    const request = (): Record<string, unknown> => ({
      apiKey,
      apiName,
      apiVersion,
      broker: broker(),
      clientId,
      correlationId,
      // A request is made when it is sent: what waits before that is messages, not requests.
      createdAt: Math.round(sentAt),
      sentAt: Math.round(sentAt),
      pendingDuration: 0,
    })
    if (error !== undefined) emitter.emit('REQUEST_TIMEOUT', request)
    else emitter.emit('REQUEST', () => ({ ...request(), duration: Math.round(durationMs), size: sizeBytes }))
    // Always empty, for the same reason: a gauge of it shows that.
    emitter.emit('REQUEST_QUEUE_SIZE', () => ({ broker: broker(), clientId, queueSize: 0 }))
  })
}
