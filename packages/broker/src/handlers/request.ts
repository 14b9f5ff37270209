/** What a handler is given besides the request's body and the stores. */
import type { Decoded, ServerApi } from '@ottla/protocol'
import type { Operation, ResourceType } from '../security/acls.ts'
import type { QuotaClient } from '../quotas/client-quotas.ts'
import type { SaslExchange } from '../security/sasl/exchange.ts'
import type { Partition } from '../topics/topics.ts'
import type { Stores } from './stores.ts'

/** One client connection, as far as handlers see it. */
export interface Session {
  /** `User:alice`; `User:ANONYMOUS` before and without authentication. */
  principal: string
  readonly host: string
  readonly port: number
  /** What the client is, if it has said so (KIP-511). */
  softwareName?: string
  softwareVersion?: string
  /** Mechanism agreed on by SaslHandshake. */
  saslMechanism: string | null
  /** While it is under way. */
  exchange: SaslExchange | null
  /** What follows are the bare tokens of the exchange, after a SaslHandshake of version 0. */
  isBare: boolean
  authenticated: boolean
  /** Logged in with a delegation token. */
  isToken: boolean
  /** When the client has to have authenticated anew, ms since the epoch (KIP-368). */
  expiresAt: number | null
  /** When the client last began to authenticate anew, ms since the epoch. */
  renewedAt: number | null
  /** The connection ends with the answer. */
  isOver: boolean
}

export interface RequestContext {
  readonly brokerId: number
  readonly apiKey: number
  readonly version: number
  readonly clientId: string
  readonly session: Session
  /** Aborted when the client is gone or the broker goes down: nobody waits for the answer any more. */
  readonly signal: AbortSignal
  allows(operation: Operation, type: ResourceType, name: string): boolean
  /**
   * 0, or why this broker cannot answer for the partition at the leader epoch that the client knows (-1: none).
   * @param asBroker - whom to take this broker for
   */
  checkLeader(partition: Partition | undefined, currentLeaderEpoch: number, asBroker?: number): number
}

/** Whom quotas are reckoned for. */
export function quotaClient({ brokerId, clientId, session }: RequestContext): QuotaClient {
  return { brokerId, clientId, principal: session.principal }
}

/** The connection is to be closed after the answer, if there is one. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection'
}

/** What the form of a refusal depends on besides the request's body. */
export type RefusedRequest = Pick<RequestContext, 'version' | 'session'>

/** One API as a broker serves it. */
export interface Route {
  readonly api: ServerApi<unknown, unknown>
  /** null: no answer is sent (acks=0). */
  handle(body: unknown, context: RequestContext, stores: Stores): unknown
  /** The answer to a request of which nothing is to come: it has the error wherever Kafka puts one. */
  refusal(body: unknown, errorCode: number, request: RefusedRequest): unknown
}

/** Puts together what belongs to an API; its types agree here, so that the table of routes need not know them. */
export function route<Req, Res>(
  api: ServerApi<Req, Res>,
  handle: (body: Decoded<Req>, context: RequestContext, stores: Stores) => Res | null | Promise<Res | null>,
  refusal: (body: Decoded<Req>, errorCode: number, request: RefusedRequest) => Res,
): Route {
  // What the reader of `api` made is what its handler takes.
  return { api: api as unknown as ServerApi<unknown, unknown>, handle, refusal }
}
