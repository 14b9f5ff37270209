/** Errors that the application's hooks throw: they are logged, nothing else. */
import { stackOf } from '../base/unknown-error.ts'
import type { Logger } from './logger.ts'

/**
 * Logs the first error of each hook. Further ones are debug lines (`debug=interceptor`), since a hook that fails
 * is likely to fail for every message.
 */
export class HookErrors {
  readonly #logger: Logger
  readonly #reported = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  report(hook: string, error: unknown): void {
    const why = stackOf(error)
    if (this.#reported.has(hook)) {
      this.#logger.debug('interceptor', 'INTERCEPT', `${hook}: ${why}`)
      return
    }
    this.#reported.add(hook)
    this.#logger.error('INTERCEPT', `${hook} of an interceptor failed, the client carries on without it: ${why}`)
  }
}
