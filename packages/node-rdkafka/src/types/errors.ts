/** An error as node-rdkafka hands it out: an `Error` with these fields. */
export interface LibrdKafkaError {
  message: string
  /** One of `CODES.ERRORS`. */
  code: number
  /** As `code`. */
  errno: number
  /** `local`: the client's own; `kafka`: a broker's. */
  origin: string
  stack?: string
  /** The client can only be disconnected. */
  isFatal?: boolean
  /** The same call may succeed later. */
  isRetriable?: boolean
  /** `abortTransaction` has to come first. */
  isTxnRequiresAbort?: boolean
}
