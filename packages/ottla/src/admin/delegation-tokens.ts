import {
  CreateDelegationToken,
  DescribeDelegationToken,
  ExpireDelegationToken,
  RenewDelegationToken,
  type CreateDelegationTokenRequest,
} from '@ottla/protocol'
import { requireInteger, requireItems, requireThat } from './arguments.ts'
import { controllerMoved, itemError, type AdminCall, type AdminOptions } from './call.ts'

/**
 * Options of `createDelegationToken`.
 * @since 0.1.0
 */
export interface CreateDelegationTokenOptions extends AdminOptions {
  /** The user that the token authenticates, such as `User:alice`. Default: this user (KIP-373, Kafka 3.3 and later). */
  readonly owner?: string
  /** Users who may renew and expire it, besides its owner. */
  readonly renewers?: readonly string[]
  /** Its longest lifetime in ms, renewals included. Default: the broker's `delegation.token.max.lifetime.ms`. */
  readonly maxLifetimeMs?: number
}

/**
 * Options of `renewDelegationToken`.
 * @since 0.1.0
 */
export interface RenewDelegationTokenOptions extends AdminOptions {
  /** From now on, in ms. Default: the broker's `delegation.token.expiry.time.ms`. */
  readonly renewPeriodMs?: number
}

/**
 * Options of `expireDelegationToken`.
 * @since 0.1.0
 */
export interface ExpireDelegationTokenOptions extends AdminOptions {
  /** From now on, in ms; -1 (the default) expires the token at once. */
  readonly expiryPeriodMs?: number
}

/**
 * Options of `describeDelegationToken`.
 * @since 0.1.0
 */
export interface DescribeDelegationTokenOptions extends AdminOptions {
  /** Only tokens of these owners, such as `User:alice`. Default: all that this user may see. */
  readonly owners?: readonly string[]
}

/**
 * A token that authenticates as its owner (KIP-48): with SCRAM, `tokenId` as the user name, `hmac` in base64 as the
 * password, and `ottla.sasl.scram.tokenauth=true`.
 * @since 0.1.0
 */
export interface DelegationToken {
  tokenId: string
  /** The secret; needed to renew and expire the token. */
  hmac: Buffer
  owner: string
  /** The user who created it; the owner, before Kafka 3.3. */
  requester: string
  /** ms since the epoch, like the next two. */
  issueTimestamp: number
  expiryTimestamp: number
  maxTimestamp: number
  renewers: string[]
}

const FIRST_VERSION_WITH_OWNER = 3
const BROKERS_DEFAULT = -1

/** Rejects with the broker's error: there is only one answer. */
export async function createDelegationToken(
  call: AdminCall,
  options: Omit<CreateDelegationTokenOptions, keyof AdminOptions>,
): Promise<DelegationToken> {
  const { owner, renewers = [], maxLifetimeMs = BROKERS_DEFAULT } = options
  const ownerPrincipal = owner === undefined ? undefined : principal(owner, 'owner')
  const renewerPrincipals = renewers.map((renewer, i) => principal(renewer, `renewers[${i}]`))
  requireInteger(maxLifetimeMs, 'maxLifetimeMs', BROKERS_DEFAULT, Number.MAX_SAFE_INTEGER)
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    CreateDelegationToken,
    (version): CreateDelegationTokenRequest => ({
      renewers: renewerPrincipals,
      maxLifetimeMs,
      ...(version < FIRST_VERSION_WITH_OWNER
        ? {}
        : {
            ownerPrincipalType: ownerPrincipal?.principalType ?? null,
            ownerPrincipalName: ownerPrincipal?.principalName ?? null,
          }),
    }),
    {
      deadline,
      signal,
      // An older broker would create a token for this user.
      ...(owner === undefined ? {} : { minVersion: FIRST_VERSION_WITH_OWNER }),
      errorOf: r => controllerMoved([r.errorCode]),
    },
  )
  const error = itemError(response.errorCode, null, 'creating a delegation token')
  if (error !== undefined) throw error
  const { issueTimestampMs, expiryTimestampMs, maxTimestampMs } = response
  return tokenOf({
    ...response,
    issueTimestamp: issueTimestampMs,
    expiryTimestamp: expiryTimestampMs,
    maxTimestamp: maxTimestampMs,
    renewers: renewerPrincipals,
  })
}

/** Resolves with the token's new expiry, in ms since the epoch. Rejects with the broker's error. */
export async function renewDelegationToken(call: AdminCall, hmac: Uint8Array, renewPeriodMs: number): Promise<number> {
  checkHmac(hmac)
  requireInteger(renewPeriodMs, 'renewPeriodMs', BROKERS_DEFAULT, Number.MAX_SAFE_INTEGER)
  const { deadline, signal } = call
  const body = { hmac, renewPeriodMs }
  const response = await call.cluster.request({ to: 'controller' }, RenewDelegationToken, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved([r.errorCode]),
  })
  const error = itemError(response.errorCode, null, 'renewing a delegation token')
  if (error !== undefined) throw error
  return response.expiryTimestampMs
}

/** Like `renewDelegationToken`; a token with a past expiry is deleted. */
export async function expireDelegationToken(
  call: AdminCall,
  hmac: Uint8Array,
  expiryPeriodMs: number,
): Promise<number> {
  checkHmac(hmac)
  requireInteger(expiryPeriodMs, 'expiryPeriodMs', -1, Number.MAX_SAFE_INTEGER)
  const { deadline, signal } = call
  const body = { hmac, expiryTimePeriodMs: expiryPeriodMs }
  const response = await call.cluster.request({ to: 'controller' }, ExpireDelegationToken, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved([r.errorCode]),
  })
  const error = itemError(response.errorCode, null, 'expiring a delegation token')
  if (error !== undefined) throw error
  return response.expiryTimestampMs
}

/** Rejects with the broker's error: there is only one answer. */
export async function describeDelegationToken(
  call: AdminCall,
  owners: readonly string[] | undefined,
): Promise<DelegationToken[]> {
  if (owners !== undefined) requireItems(owners, 'owners')
  const principals = owners?.map((owner, i) => principal(owner, `owners[${i}]`)) ?? null
  const { deadline, signal } = call
  const body = { owners: principals }
  const response = await call.cluster.request({ to: 'any' }, DescribeDelegationToken, body, { deadline, signal })
  const error = itemError(response.errorCode, null, 'describing delegation tokens')
  if (error !== undefined) throw error
  return response.tokens.map(tokenOf)
}

interface Principal {
  principalType: string
  principalName: string
}

function tokenOf(token: {
  readonly principalType: string
  readonly principalName: string
  readonly tokenRequesterPrincipalType: string
  readonly tokenRequesterPrincipalName: string
  readonly issueTimestamp: number
  readonly expiryTimestamp: number
  readonly maxTimestamp: number
  readonly tokenId: string
  readonly hmac: Uint8Array
  readonly renewers: readonly Principal[]
}): DelegationToken {
  const owner = `${token.principalType}:${token.principalName}`
  const { tokenRequesterPrincipalType: type, tokenRequesterPrincipalName: name } = token
  return {
    tokenId: token.tokenId,
    hmac: Buffer.from(token.hmac),
    owner,
    requester: type === '' ? owner : `${type}:${name}`,
    issueTimestamp: token.issueTimestamp,
    expiryTimestamp: token.expiryTimestamp,
    maxTimestamp: token.maxTimestamp,
    renewers: token.renewers.map(r => `${r.principalType}:${r.principalName}`),
  }
}

function principal(text: string, what: string): Principal {
  const [, principalType, principalName] = (typeof text === 'string' ? /^([^:]+):(.+)$/s.exec(text) : null) ?? []
  requireThat(principalName !== undefined, `${what} must look like 'User:alice', not '${text}'`)
  return { principalType: principalType ?? '', principalName: principalName ?? '' }
}

/** Checks the secret; the error does not contain it. */
function checkHmac(hmac: Uint8Array): void {
  const given: unknown = hmac
  requireThat(given instanceof Uint8Array && given.length > 0, 'hmac must be bytes, and not empty')
}
