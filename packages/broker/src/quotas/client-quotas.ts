/** Quotas of users, clients and addresses (KIP-13, KIP-124, KIP-546), and who exceeds them. */
import type { Clock } from '../base/clock.ts'
import { MutationBucket, MutationQuota } from './mutation-quota.ts'
import { QuotaRate, maxBurst } from './quota-rate.ts'

export type EntityType = 'user' | 'client-id' | 'ip'

/** Names by type; null: the default for all of that type without a quota of their own. */
export type QuotaEntity = Readonly<Partial<Record<EntityType, string | null>>>

export type ThrottledQuota =
  'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage' | 'controller_mutation_rate'

export interface QuotaClient {
  readonly brokerId: number
  /** `User:alice` */
  readonly principal: string
  readonly clientId: string
}

// What a request is charged for, in percent of a second: 1 ms.
const PERCENT_PER_REQUEST = 0.1
// The longest throttle time for this quota, as in Kafka.
const MAX_REQUEST_THROTTLE_MS = 1000
// From so many rates on, idle ones are forgotten.
const RATES_TO_CLEAN = 1000

export class ClientQuotas {
  readonly #clock: Clock
  readonly #limits = new Map<string, { readonly entity: QuotaEntity; readonly values: Map<string, number> }>()
  readonly #rates = new Map<string, QuotaRate>()
  readonly #buckets = new Map<string, MutationBucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param value null: removes the quota */
  set(entity: QuotaEntity, quota: string, value: number | null): void {
    const key = keyOf(entity)
    const found = this.#limits.get(key)
    if (value !== null) {
      if (found === undefined) this.#limits.set(key, { entity, values: new Map([[quota, value]]) })
      else found.values.set(quota, value)
    } else if (found !== undefined) {
      found.values.delete(quota)
      if (found.values.size === 0) this.#limits.delete(key)
    }
  }

  all(): IterableIterator<{ readonly entity: QuotaEntity; readonly values: ReadonlyMap<string, number> }> {
    return this.#limits.values()
  }

  /** @returns the throttle time, ms */
  charge(quota: ThrottledQuota, client: QuotaClient, amount: number): number {
    const found = this.#find(quota, client)
    if (found === null) return 0
    const now = this.#clock.now()
    const rate = this.#rate(found.key, now)
    rate.record(amount, now)
    return rate.throttleMs(found.limit, now)
  }

  /** Takes back a charge. */
  refund(quota: ThrottledQuota, client: QuotaClient, amount: number): void {
    const found = this.#find(quota, client)
    if (found === null) return
    const now = this.#clock.now()
    this.#rate(found.key, now).record(-amount, now)
  }

  /** Charges for a request. @returns the throttle time, ms */
  chargeRequest(client: QuotaClient): number {
    return Math.min(MAX_REQUEST_THROTTLE_MS, this.charge('request_percentage', client, PERCENT_PER_REQUEST))
  }

  /**
   * The quota of a request that creates or deletes partitions, for all brokers together.
   * @param isStrict see {@link MutationQuota}
   */
  mutations(client: QuotaClient, isStrict: boolean): MutationQuota {
    const found = this.#find('controller_mutation_rate', { ...client, brokerId: 0 })
    const now = this.#clock.now()
    if (found === null) return new MutationQuota(new MutationBucket(), Infinity, isStrict, now)
    const { key, limit } = found
    const bucket = this.#buckets.get(key) ?? new MutationBucket()
    this.#buckets.set(key, bucket)
    return new MutationQuota(bucket, limit, isStrict, now)
  }

  /** Most that the client may get at once; Infinity without a quota. */
  maxAtOnce(quota: ThrottledQuota, client: QuotaClient): number {
    const limit = this.#find(quota, client)?.limit
    return limit === undefined ? Infinity : maxBurst(limit)
  }

  // The quota that applies to the client, and the key of its rate. The most specific entity wins.
  #find(quota: ThrottledQuota, { brokerId, principal, clientId }: QuotaClient): { limit: number; key: string } | null {
    if (this.#limits.size === 0) return null
    const user = principal.slice(principal.indexOf(':') + 1)
    const entities: QuotaEntity[] = [
      { user, 'client-id': clientId },
      { user, 'client-id': null },
      { user },
      { user: null, 'client-id': clientId },
      { user: null, 'client-id': null },
      { user: null },
      { 'client-id': clientId },
      { 'client-id': null },
    ]
    for (const entity of entities) {
      const limit = this.#limits.get(keyOf(entity))?.values.get(quota)
      if (limit === undefined) continue
      const who = JSON.stringify([
        brokerId,
        quota,
        'user' in entity ? user : null,
        'client-id' in entity ? clientId : null,
      ])
      return { limit, key: who }
    }
    return null
  }

  #rate(key: string, now: number): QuotaRate {
    const known = this.#rates.get(key)
    if (known !== undefined) return known
    if (this.#rates.size >= RATES_TO_CLEAN) {
      for (const [other, rate] of this.#rates) if (rate.isIdle(now)) this.#rates.delete(other)
    }
    const rate = new QuotaRate()
    this.#rates.set(key, rate)
    return rate
  }
}

function keyOf(entity: QuotaEntity): string {
  return JSON.stringify([entity.user, entity['client-id'], entity.ip].map(name => (name === undefined ? 0 : name)))
}

/** A response with at least this throttle time. */
export function throttled(response: unknown, throttleTimeMs: number): unknown {
  if (throttleTimeMs === 0 || typeof response !== 'object' || response === null) return response
  const own = 'throttleTimeMs' in response ? Number(response.throttleTimeMs) : 0
  return { ...response, throttleTimeMs: Math.max(own, throttleTimeMs) }
}
