/** Instrumentation events that all clients have. */

/** Something has happened: a client tells its listeners. */
export interface InstrumentationEvent<T> {
  id: string
  type: string
  /** ms since the epoch. */
  timestamp: number
  payload: T
}

/** Ends what `on` has begun. */
export type RemoveInstrumentationEventListener<_T> = () => void

/** The client has connected. */
export type ConnectEvent = InstrumentationEvent<null>
/** The client has disconnected. */
export type DisconnectEvent = InstrumentationEvent<null>

/** A broker has not answered a request in time. */
export type RequestTimeoutEvent = InstrumentationEvent<{
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
}>

/** A broker has answered a request: `duration` in ms, `size` of the response in bytes. */
export type RequestEvent = InstrumentationEvent<RequestTimeoutEvent['payload'] & { duration: number; size: number }>

/** How many requests wait for a broker. Never emitted: requests do not queue here. */
export type RequestQueueSizeEvent = InstrumentationEvent<{ broker: string; clientId: string; queueSize: number }>
