/** Delegation tokens (KIP-48), with which others can log in as their owner for a limited time. */
import { createHmac } from 'node:crypto'
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import { newUuid, type Random } from '../base/random.ts'

export interface DelegationToken {
  readonly id: string
  /** Its base64 form is the password of the token. */
  readonly hmac: Buffer
  /** `User:alice`, like all principals here. */
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  /** Times are in ms since the epoch. */
  readonly issuedAt: number
  readonly endsAt: number
  expiresAt: number
}

/** Thrown with the error code for the client. */
export class TokenRefusal extends Error {
  override readonly name = 'TokenRefusal'
  readonly errorCode: number

  constructor(errorCode: number) {
    super(`error ${errorCode}`)
    this.errorCode = errorCode
  }
}

// Kafka's defaults for delegation.token.max.lifetime.ms and delegation.token.expiry.time.ms.
const MAX_LIFETIME_MS = 604_800_000
const EXPIRY_TIME_MS = 86_400_000
const SECRET_BYTES = 32

export class TokenStore {
  readonly #clock: Clock
  readonly #random: Random
  readonly #secret: Buffer
  readonly #tokens = new Map<string, DelegationToken>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
    this.#secret = random.bytes(SECRET_BYTES)
  }

  /** @param maxLifetimeMs not above 0: the longest allowed */
  create(owner: string, requester: string, renewers: readonly string[], maxLifetimeMs: number): DelegationToken {
    const id = newUuid(this.#random)
    const issuedAt = this.#clock.now()
    const endsAt = issuedAt + (maxLifetimeMs <= 0 ? MAX_LIFETIME_MS : Math.min(maxLifetimeMs, MAX_LIFETIME_MS))
    const expiresAt = Math.min(endsAt, issuedAt + EXPIRY_TIME_MS)
    const hmac = createHmac('sha512', this.#secret).update(id).digest()
    const token = { id, hmac, owner, requester, renewers, issuedAt, endsAt, expiresAt }
    this.#tokens.set(id, token)
    return token
  }

  all(): IterableIterator<DelegationToken> {
    return this.#tokens.values()
  }

  /** The token, unless it has expired. */
  valid(id: string): DelegationToken | undefined {
    const token = this.#tokens.get(id)
    return token !== undefined && token.expiresAt > this.#clock.now() ? token : undefined
  }

  /** @returns when it expires. Throws TokenRefusal. */
  renew(hmac: Buffer, principal: string, periodMs: number): number {
    const token = this.#own(hmac, principal)
    this.#checkExpiry(token)
    return this.#setExpiry(token, periodMs < 0 ? EXPIRY_TIME_MS : Math.min(periodMs, EXPIRY_TIME_MS))
  }

  /** @param periodMs below 0: at once @returns when it expires. Throws TokenRefusal. */
  expire(hmac: Buffer, principal: string, periodMs: number): number {
    const token = this.#own(hmac, principal)
    if (periodMs < 0) {
      this.#tokens.delete(token.id)
      return this.#clock.now()
    }
    this.#checkExpiry(token)
    return this.#setExpiry(token, periodMs)
  }

  /** Forgets expired tokens. */
  clean(): void {
    for (const id of [...this.#tokens.keys()]) if (this.valid(id) === undefined) this.#tokens.delete(id)
  }

  #own(hmac: Buffer, principal: string): DelegationToken {
    for (const token of this.#tokens.values()) {
      if (!token.hmac.equals(hmac)) continue
      // A requester who is neither owner nor renewer may only see the token.
      if (token.owner === principal || token.renewers.includes(principal)) return token
      throw new TokenRefusal(ErrorCode.ERR_DELEGATION_TOKEN_OWNER_MISMATCH)
    }
    throw new TokenRefusal(ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
  }

  #checkExpiry({ expiresAt }: DelegationToken): void {
    if (expiresAt < this.#clock.now()) throw new TokenRefusal(ErrorCode.ERR_DELEGATION_TOKEN_EXPIRED)
  }

  #setExpiry(token: DelegationToken, periodMs: number): number {
    token.expiresAt = Math.min(token.endsAt, this.#clock.now() + periodMs)
    return token.expiresAt
  }
}

export function isOwnerOrRenewer({ owner, renewers, requester }: DelegationToken, principal: string): boolean {
  return owner === principal || requester === principal || renewers.includes(principal)
}
