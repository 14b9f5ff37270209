/** Gets a producer id for an idempotent producer, and another one when its sequences have to restart. */
import { ErrorCode, InitProducerId } from '@ottla/protocol'
import type { Clock, Deadline, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Identity } from '../queue/batch.ts'
import type { IdentityStatus } from './identity.ts'
import { initialIdempotence, step, type IdempotenceEvent, type IdempotenceState } from './states.ts'

/** Requests an id from the cluster. Retries transient errors. */
export type RequestId = () => Promise<{
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}>

/** RequestId on a cluster; rejects like `Cluster.request`. */
export function requestId(cluster: Pick<Cluster, 'request'>, deadline: Deadline): ReturnType<RequestId> {
  const body = { transactionalId: null, transactionTimeoutMs: -1 }
  return cluster.request({ to: 'any' }, InitProducerId, body, { deadline, errorOf: response => response.errorCode })
}

export interface IdentityHandlers {
  /** There is an id: batches that wait for it can be sent. */
  onReady(): void
  /** There will never be one. */
  onFatal(code: number, message: string): void
}

const BACKOFF_MS = 500

/** Carries out what states.ts decides. */
export class ProducerIdentity {
  readonly #requestId: RequestId
  readonly #isGapless: boolean
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #handlers: IdentityHandlers
  #state: IdempotenceState = initialIdempotence
  /** Monotonic ms of the last change of state. */
  #since: number
  #grants = 0
  #current: Identity | null = null
  #backoff: Timer | null = null
  #closed = false

  /** @param isGapless - `enable.gapless.guarantee` */
  constructor(requestId: RequestId, isGapless: boolean, clock: Clock, logger: Logger, handlers: IdentityHandlers) {
    this.#requestId = requestId
    this.#isGapless = isGapless
    this.#clock = clock
    this.#logger = logger
    this.#handlers = handlers
    this.#since = clock.now()
  }

  readonly transaction = null

  get status(): IdentityStatus {
    return { state: this.#state, since: this.#since, grants: this.#grants, transaction: null }
  }

  /**
   * The id that batches are stamped with. Partitions without a gap keep using it while another one is being requested.
   */
  get current(): Identity | null {
    return this.#current
  }

  start(): void {
    this.#happen({ is: 'start' }, 'start')
  }

  /** A sequence stamped with `identity` has a gap; does nothing if another identity is current by now. */
  gap(identity: Identity | null, reason: string): void {
    if (identity !== null && identity === this.#current) this.#happen({ is: 'gap' }, reason)
  }

  /** The brokers refuse `identity`. */
  fenced(identity: Identity | null, reason: string): void {
    if (identity !== null && identity === this.#current) this.#happen({ is: 'fenced' }, reason)
  }

  /**
   * Messages could not be delivered, which is fatal with `enable.gapless.guarantee`. Null if the application purged
   * them.
   */
  lost(error: KafkaError | null): void {
    if (error === null || !this.#isGapless || this.#closed) return
    const message = `a gap in the sequence of messages (enable.gapless.guarantee): ${error.message}`
    // A fatal error purges the queue, which must not happen while a response is being processed.
    queueMicrotask(() => this.#handlers.onFatal(ErrorCode.ERR__GAPLESS_GUARANTEE, message))
  }

  close(): void {
    this.#closed = true
    this.#backoff?.cancel()
  }

  #happen(event: IdempotenceEvent, reason: string): void {
    if (this.#closed) return
    const before = this.#state.name
    const { state, actions } = step(this.#state, event)
    this.#state = state
    if (state.name !== before) {
      this.#since = this.#clock.now()
      this.#logger.debug('eos', 'IDEMPSTATE', `${before} -> ${state.name}: ${reason}`)
    }
    for (const action of actions) {
      switch (action.do) {
        case 'request':
          void this.#request()
          break
        case 'back-off':
          this.#backoff = this.#clock.setTimer(BACKOFF_MS, () => this.#happen({ is: 'retry' }, 'backoff over'))
          break
        case 'use':
          this.#grants++
          this.#current = {
            producerId: action.producerId,
            producerEpoch: action.producerEpoch,
            isTransactional: false,
          }
          this.#handlers.onReady()
          break
        case 'fail':
          this.#handlers.onFatal(action.code, action.message)
          break
        default:
          action satisfies never
      }
    }
  }

  async #request(): Promise<void> {
    try {
      const granted = await this.#requestId()
      if (granted.errorCode === ErrorCode.ERR_NO_ERROR) {
        const what = `producer id ${granted.producerId}, epoch ${granted.producerEpoch}`
        this.#happen({ is: 'granted', producerId: granted.producerId, producerEpoch: granted.producerEpoch }, what)
        return
      }
      const { message } = KafkaError.of(granted.errorCode, 'no producer id')
      this.#happen({ is: 'refused', code: granted.errorCode, message }, message)
    } catch (error) {
      const code = error instanceof KafkaError ? error.code : ErrorCode.ERR__FAIL
      const message = `no producer id: ${messageOf(error)}`
      this.#happen({ is: 'refused', code, message }, message)
    }
  }
}
