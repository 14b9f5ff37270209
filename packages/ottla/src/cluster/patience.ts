/** How long a call that somebody waits for is tried again while it looks as if the configuration were wrong. */
import { ErrorCode } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { isMisfit } from '../network/request-error.ts'

// New credentials may take a moment until every broker knows them.
const REFUSED_MS = 1000
// A proxy may hang up likewise while the broker behind it starts.
const MISFIT_MS = 2000

const refusals: ReadonlySet<number> = new Set([ErrorCode.ERR__AUTHENTICATION, ErrorCode.ERR__SSL])

export class Patience {
  #since: number | null = null

  /**
   * Whether it is over, after one more failure.
   * @param isRefused - the credentials were not accepted by the last broker that was asked
   * @param hasWorked - a broker has told about the cluster: whoever hangs up now was no misfit before
   */
  isOver(error: KafkaError, isRefused: boolean, hasWorked: boolean, now: number): boolean {
    const seemsWrong = !hasWorked && isMisfit(error)
    const limit = isRefused || refusals.has(error.code) ? REFUSED_MS : seemsWrong ? MISFIT_MS : null
    this.#since = limit === null ? null : (this.#since ?? now)
    return limit !== null && this.#since !== null && now - this.#since >= limit
  }
}
