/** Gets a producer id for an idempotent producer, and another when the numbers have to begin anew. */
import { ErrorCode, InitProducerId } from '@ottla/protocol'
import type { Clock, Deadline, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Identity } from '../queue/batch.ts'
import type { IdentityStanding } from './identity.ts'
import { initialIdempotence, step, type IdempotenceEvent, type IdempotenceState } from './states.ts'

/** Asks the cluster for an id. Retries passing errors. */
export type AskForId = () => Promise<{
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}>

/** AskForId on a cluster; rejects as Cluster.request does. */
export function askForId(cluster: Pick<Cluster, 'request'>, deadline: Deadline): ReturnType<AskForId> {
  const body = { transactionalId: null, transactionTimeoutMs: -1 }
  return cluster.request({ to: 'any' }, InitProducerId, body, { deadline, errorOf: response => response.errorCode })
}

export interface IdentityHandlers {
  /** An id is there: batches that wait for one can go. */
  onReady(): void
  /** There will never be one. */
  onFatal(code: number, message: string): void
}

const PAUSE_MS = 500

/** Does what idempotence.ts decides. */
export class ProducerIdentity {
  readonly #ask: AskForId
  readonly #isGapless: boolean
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #handlers: IdentityHandlers
  #state: IdempotenceState = initialIdempotence
  /** Monotonic ms of the last change of state. */
  #since: number
  #grants = 0
  #current: Identity | null = null
  #pause: Timer | null = null
  #closed = false

  /** @param isGapless - `enable.gapless.guarantee` */
  constructor(ask: AskForId, isGapless: boolean, clock: Clock, logger: Logger, handlers: IdentityHandlers) {
    this.#ask = ask
    this.#isGapless = isGapless
    this.#clock = clock
    this.#logger = logger
    this.#handlers = handlers
    this.#since = clock.now()
  }

  readonly transaction = null

  get standing(): IdentityStanding {
    return { state: this.#state, since: this.#since, grants: this.#grants, transaction: null }
  }

  /**
   * The id that batches are stamped with. It stays in force for partitions without a gap while another one is being
   * asked for.
   */
  get current(): Identity | null {
    return this.#current
  }

  start(): void {
    this.#happen({ is: 'start' }, 'start')
  }

  /** Numbers stamped under `identity` have a gap; nothing to do when another is in force by now. */
  gap(identity: Identity | null, reason: string): void {
    if (identity !== null && identity === this.#current) this.#happen({ is: 'gap' }, reason)
  }

  /** The brokers refuse `identity`. */
  fenced(identity: Identity | null, reason: string): void {
    if (identity !== null && identity === this.#current) this.#happen({ is: 'fenced' }, reason)
  }

  /** Messages could not be delivered: with `enable.gapless.guarantee` that is fatal. Null: the program gave them up. */
  lost(error: KafkaError | null): void {
    if (error === null || !this.#isGapless || this.#closed) return
    const message = `a gap in the series of messages (enable.gapless.guarantee): ${error.message}`
    // Being fatal purges the queue: not while an answer is being taken apart.
    queueMicrotask(() => this.#handlers.onFatal(ErrorCode.ERR__GAPLESS_GUARANTEE, message))
  }

  close(): void {
    this.#closed = true
    this.#pause?.cancel()
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
        case 'ask':
          void this.#request()
          break
        case 'pause':
          this.#pause = this.#clock.setTimer(PAUSE_MS, () => this.#happen({ is: 'again' }, 'pause over'))
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
      const granted = await this.#ask()
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
