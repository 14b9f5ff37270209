/** How long a call with `failFast` is retried while the configuration seems to be wrong. */
import { ErrorCode } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { isWrongProtocol } from '../network/request-error.ts'

// New credentials may take a moment until every broker knows them.
const REFUSED_MS = 1000
// A proxy may hang up in the same way while the broker behind it starts.
const WRONG_PROTOCOL_MS = 2000

const refusals: ReadonlySet<number> = new Set([ErrorCode.ERR__AUTHENTICATION, ErrorCode.ERR__SSL])

export class FailFast {
  #since: number | null = null

  /**
   * Whether to give up after one more failure.
   * @param isRefused - the last broker rejected the credentials
   * @param hasWorked - a broker has answered a metadata request: the configuration was right then
   */
  shouldGiveUp(error: KafkaError, isRefused: boolean, hasWorked: boolean, now: number): boolean {
    const seemsWrong = !hasWorked && isWrongProtocol(error)
    const limit = isRefused || refusals.has(error.code) ? REFUSED_MS : seemsWrong ? WRONG_PROTOCOL_MS : null
    this.#since = limit === null ? null : (this.#since ?? now)
    return limit !== null && this.#since !== null && now - this.#since >= limit
  }
}
