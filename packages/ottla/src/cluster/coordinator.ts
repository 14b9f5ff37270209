import {
  ErrorCode,
  errorName,
  type FindCoordinatorRequest,
  type Decoded,
  type FindCoordinatorResponse,
} from '@ottla/protocol'
import { within } from '../base/wait.ts'
import { KafkaError } from '../errors.ts'
import type { Broker } from './broker.ts'
import type { ClientContext } from './context.ts'
import type { CallLimits } from './metadata.ts'
import { isRetriable } from './retry.ts'
import { pauseBeforeRetry } from './rounds.ts'
import type { BrokerAddress } from './snapshot.ts'

export type CoordinatorType = 'group' | 'transaction'

const keyTypes: Record<CoordinatorType, number> = { group: 0, transaction: 1 }

/** The part of the cluster that the finder uses. */
export interface CoordinatorCluster {
  anyRequest(
    body: (version: number) => FindCoordinatorRequest,
    options: CallLimits,
  ): Promise<Decoded<FindCoordinatorResponse>>
  ensureBroker(address: BrokerAddress): Broker
}

/** Finds the coordinators of groups and transactional ids, and caches them until `forget`. */
export class CoordinatorFinder {
  readonly #context: ClientContext
  readonly #cluster: CoordinatorCluster
  readonly #known = new Map<string, Broker>()
  readonly #pending = new Map<string, Promise<Broker>>()

  constructor(context: ClientContext, cluster: CoordinatorCluster) {
    this.#context = context
    this.#cluster = cluster
  }

  /**
   * The coordinator. Rejects with KafkaError: the broker's code if it is not retriable
   * (ERR_GROUP_AUTHORIZATION_FAILED), ERR__TIMED_OUT at the deadline.
   */
  async find(type: CoordinatorType, key: string, options: CallLimits): Promise<Broker> {
    const id = `${type}\0${key}`
    const known = this.#known.get(id)
    if (known !== undefined) return known
    // Calls with a signal or `failFast` do not share a search: one caller could abort another's.
    if (options.signal !== undefined || options.failFast === true) return this.#search(id, type, key, options)
    const pending = this.#pending.get(id)
    if (pending !== undefined) {
      const late = (): KafkaError =>
        new KafkaError(ErrorCode.ERR__TIMED_OUT, `the ${type} coordinator of '${key}' was not found in time`)
      return within(pending, this.#context.clock, options.deadline, late)
    }
    const search = this.#search(id, type, key, options).finally(() => this.#pending.delete(id))
    this.#pending.set(id, search)
    return search
  }

  forget(type: CoordinatorType, key: string, reason: string): void {
    if (!this.#known.delete(`${type}\0${key}`)) return
    this.#context.logger.debug('cgrp', 'COORD', `${type} coordinator of '${key}' forgotten: ${reason}`)
  }

  /** Forgets a broker that left the cluster: whatever it coordinated has moved. */
  forgetBroker(broker: Broker): void {
    for (const [id, known] of this.#known) if (known === broker) this.#known.delete(id)
  }

  async #search(id: string, type: CoordinatorType, key: string, options: CallLimits): Promise<Broker> {
    const { logger } = this.#context
    const keyType = keyTypes[type]
    const body = (version: number): FindCoordinatorRequest =>
      version >= 4 ? { keyType, coordinatorKeys: [key] } : { keyType, key }
    for (let attempt = 1; ; attempt++) {
      const response = await this.#cluster.anyRequest(body, options)
      // Version 4 and later answer for a list of keys, earlier ones for one key.
      const found = response.coordinators[0] ?? response
      if (found.errorCode === ErrorCode.ERR_NO_ERROR && found.nodeId >= 0) {
        const broker = this.#cluster.ensureBroker({ id: found.nodeId, host: found.host, port: found.port, rack: null })
        this.#known.set(id, broker)
        logger.debug('cgrp', 'COORD', `${type} coordinator of '${key}' is ${broker.name}`)
        return broker
      }
      // Brokers send an empty text or null.
      const detail = found.errorMessage || errorName(found.errorCode)
      const message = `no ${type} coordinator for '${key}': ${detail}`
      if (!isRetriable(found.errorCode)) throw new KafkaError(found.errorCode, message)
      if (!(await pauseBeforeRetry(this.#context, attempt, options))) {
        throw new KafkaError(ErrorCode.ERR__TIMED_OUT, message, { cause: new KafkaError(found.errorCode, detail) })
      }
    }
  }
}
