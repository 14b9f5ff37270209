/** What hooks of the program throw: logged, and nothing else. */
import { stackOf } from '../base/unknown-error.ts'
import type { Logger } from './logger.ts'

/**
 * Logs the first error of each hook; those that follow are debug lines (`debug=interceptor`), since a hook that fails
 * is likely to fail with every message.
 */
export class HookErrors {
  readonly #logger: Logger
  readonly #told = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  tell(hook: string, error: unknown): void {
    const why = stackOf(error)
    if (this.#told.has(hook)) {
      this.#logger.debug('interceptor', 'INTERCEPT', `${hook}: ${why}`)
      return
    }
    this.#told.add(hook)
    this.#logger.error('INTERCEPT', `${hook} of an interceptor failed, the client goes on without it: ${why}`)
  }
}
