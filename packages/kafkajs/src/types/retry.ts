/** How often, and after how long, kafkajs tries again. */
export interface RetryOptions {
  /** Longest backoff, ms. 30 000 by default. */
  maxRetryTime?: number
  /** First backoff, ms. 300 by default. */
  initialRetryTime?: number
  /** Jitter: 0.2, the default, is 20 % up or down. */
  factor?: number
  /** How many times longer each backoff is than the one before. 2 by default. */
  multiplier?: number
  /** How often a call is tried again, after the first attempt. 5 by default. */
  retries?: number
  /** Of a consumer: whether to start again after an error that a retry may get past. */
  restartOnFailure?: (e: Error) => Promise<boolean>
}
