/** Instrumentation events that all clients have. */

export interface InstrumentationEvent<T> {
  id: string
  type: string
  /** ms since the epoch. */
  timestamp: number
  payload: T
}

export type RemoveInstrumentationEventListener<_T> = () => void

export type ConnectEvent = InstrumentationEvent<null>
export type DisconnectEvent = InstrumentationEvent<null>

interface RequestFacts {
  apiKey: number
  apiName: string
  apiVersion: number
  /** `host:port` */
  broker: string
  clientId: string
  correlationId: number
  /** ms since the epoch. */
  createdAt: number
  /** ms since the epoch. */
  sentAt: number
  /** From `createdAt` to `sentAt`, ms. */
  pendingDuration: number
}

/** A broker has answered a request: `duration` in ms, `size` of the response in bytes. */
export type RequestEvent = InstrumentationEvent<RequestFacts & { duration: number; size: number }>
/** A broker has not answered a request in time. */
export type RequestTimeoutEvent = InstrumentationEvent<RequestFacts>
export type RequestQueueSizeEvent = InstrumentationEvent<{ broker: string; clientId: string; queueSize: number }>
