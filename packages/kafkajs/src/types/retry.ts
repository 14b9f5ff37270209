/** How often, and after how long, kafkajs tries again. */
export interface RetryOptions {
  /** Longest backoff, ms. */
  maxRetryTime?: number
  /** First backoff, ms. */
  initialRetryTime?: number
  /** Jitter: 0.2 is 20 % up or down. */
  factor?: number
  /** What each backoff is longer by. */
  multiplier?: number
  retries?: number
  /** Of a consumer: whether to start again after an error that a retry may get past. */
  restartOnFailure?: (e: Error) => Promise<boolean>
}
