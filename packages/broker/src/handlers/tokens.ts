/** Delegation tokens: created, renewed, expired and described. */
import {
  CreateDelegationTokenServer,
  DescribeDelegationTokenServer,
  ErrorCode,
  ExpireDelegationTokenServer,
  RenewDelegationTokenServer,
  type CreateDelegationTokenRequest,
  type CreateDelegationTokenResponse,
  type Decoded,
  type DescribeDelegationTokenRequest,
  type DescribeDelegationTokenResponse,
} from '@ottla/protocol'
import { route, type RefusedRequest, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import { TokenRefusal, isOwnerOrRenewer } from '../security/tokens.ts'

interface ChangedToken {
  readonly errorCode: number
  readonly expiryTimestampMs: number
  readonly throttleTimeMs: number
}

const ANONYMOUS = 'User:ANONYMOUS'
// The first version with the requester of a token (KIP-373).
const REQUESTER_VERSION = 3

export const tokenRoutes: readonly Route[] = [
  route(CreateDelegationTokenServer, create, notCreated),
  route(
    RenewDelegationTokenServer,
    ({ hmac, renewPeriodMs }, context, { logIn }) =>
      changed(context, principal => logIn.tokens.renew(hmac, principal, renewPeriodMs)),
    (_body, errorCode) => unchanged(errorCode),
  ),
  route(
    ExpireDelegationTokenServer,
    ({ hmac, expiryTimePeriodMs }, context, { logIn }) =>
      changed(context, principal => logIn.tokens.expire(hmac, principal, expiryTimePeriodMs)),
    (_body, errorCode) => unchanged(errorCode),
  ),
  route(DescribeDelegationTokenServer, describe, (_body, errorCode) => notDescribed(errorCode)),
]

function create(
  request: Decoded<CreateDelegationTokenRequest>,
  context: RequestContext,
  { logIn }: Pick<Stores, 'logIn'>,
): CreateDelegationTokenResponse {
  const { version } = context
  const requester = context.session.principal
  const owner = ownerOf(request, requester)
  const refused = (errorCode: number): CreateDelegationTokenResponse => notCreated(request, errorCode, context)
  if (!mayUseTokens(context)) return refused(ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  if (owner !== requester && !context.allows('create-tokens', 'user', owner)) {
    return refused(ErrorCode.ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED)
  }
  const types = [
    ...request.renewers.map(({ principalType }) => principalType),
    ...(hasOwner(request) ? [request.ownerPrincipalType ?? ''] : []),
  ]
  if (types.some(type => type !== 'User')) return refused(ErrorCode.ERR_INVALID_PRINCIPAL_TYPE)
  const renewers = request.renewers.map(({ principalType, principalName }) => `${principalType}:${principalName}`)
  const token = logIn.tokens.create(owner, requester, renewers, request.maxLifetimeMs)
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    ...names(owner, requester, version),
    issueTimestampMs: token.issuedAt,
    expiryTimestampMs: token.expiresAt,
    maxTimestampMs: token.endsAt,
    tokenId: token.id,
    hmac: token.hmac,
    throttleTimeMs: 0,
  }
}

function changed(context: RequestContext, change: (principal: string) => number): ChangedToken {
  if (!mayUseTokens(context)) return unchanged(ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  try {
    const expiryTimestampMs = change(context.session.principal)
    return { errorCode: ErrorCode.ERR_NO_ERROR, expiryTimestampMs, throttleTimeMs: 0 }
  } catch (error) {
    if (error instanceof TokenRefusal) return unchanged(error.errorCode)
    throw error
  }
}

function describe(
  { owners }: Decoded<DescribeDelegationTokenRequest>,
  context: RequestContext,
  { logIn }: Pick<Stores, 'logIn'>,
): DescribeDelegationTokenResponse {
  if (!mayUseTokens(context)) return notDescribed(ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  const wanted = owners?.map(({ principalType, principalName }) => `${principalType}:${principalName}`) ?? null
  const { principal } = context.session
  const tokens = [...logIn.tokens.all()].filter(
    token =>
      (wanted?.some(name => isOwnerOrRenewer(token, name)) ?? true) &&
      (isOwnerOrRenewer(token, principal) ||
        context.allows('describe', 'delegation-token', token.id) ||
        context.allows('describe-tokens', 'user', token.owner)),
  )
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    throttleTimeMs: 0,
    tokens: tokens.map(token => ({
      ...names(token.owner, token.requester, context.version),
      issueTimestamp: token.issuedAt,
      expiryTimestamp: token.expiresAt,
      maxTimestamp: token.endsAt,
      tokenId: token.id,
      hmac: token.hmac,
      renewers: token.renewers.map(split),
    })),
  }
}

function notCreated(
  request: Decoded<CreateDelegationTokenRequest>,
  errorCode: number,
  { session, version }: RefusedRequest,
): CreateDelegationTokenResponse {
  const { principal } = session
  return {
    errorCode,
    ...names(ownerOf(request, principal), principal, version),
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: Buffer.alloc(0),
    throttleTimeMs: 0,
  }
}

function unchanged(errorCode: number): ChangedToken {
  return { errorCode, expiryTimestampMs: -1, throttleTimeMs: 0 }
}

function notDescribed(errorCode: number): DescribeDelegationTokenResponse {
  return { errorCode, tokens: [], throttleTimeMs: 0 }
}

function hasOwner({ ownerPrincipalName }: Decoded<CreateDelegationTokenRequest>): boolean {
  return (ownerPrincipalName ?? '') !== ''
}

function ownerOf(request: Decoded<CreateDelegationTokenRequest>, requester: string): string {
  const { ownerPrincipalType, ownerPrincipalName } = request
  return hasOwner(request) ? `${ownerPrincipalType ?? ''}:${ownerPrincipalName}` : requester
}

// Tokens are only for authenticated users that have not logged in with a token themselves.
function mayUseTokens({ session }: RequestContext): boolean {
  return !session.isToken && session.principal !== ANONYMOUS
}

function names(
  owner: string,
  requester: string,
  version: number,
): Pick<
  CreateDelegationTokenResponse,
  'principalType' | 'principalName' | 'tokenRequesterPrincipalType' | 'tokenRequesterPrincipalName'
> {
  if (version < REQUESTER_VERSION) return split(owner)
  const { principalType, principalName } = split(requester)
  return {
    ...split(owner),
    tokenRequesterPrincipalType: principalType,
    tokenRequesterPrincipalName: principalName,
  }
}

function split(principal: string): { principalType: string; principalName: string } {
  const at = principal.indexOf(':')
  return { principalType: principal.slice(0, at), principalName: principal.slice(at + 1) }
}
