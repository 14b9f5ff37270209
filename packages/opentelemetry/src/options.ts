/**
 * What to follow, and how closely.
 * @since 0.1.0
 */
export interface TracingOptions {
  /**
   * `message` (default): a span for each message that is sent, and for each that a handler processes. `batch`: one for
   * each batch that is sent, and for each that a batch handler processes, with links to the spans that its first 128
   * messages came from; for programs with more messages than spans are worth.
   */
  readonly batch?: 'message' | 'batch'
  /**
   * Whether messages carry the context of their sender in their headers. True by default. Without it there are no
   * links.
   */
  readonly propagate?: boolean
  /** Spans for fetches that brought messages, and for commits. True by default. */
  readonly clientSpans?: boolean
}
