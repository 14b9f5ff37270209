/** What a handler gets besides the request's body and the stores. */
import type { Decoded, ServerApi } from '@ottla/protocol'
import type { AclOperation, AclResourceType } from '../security/acls.ts'
import type { QuotaClient } from '../quotas/client-quotas.ts'
import type { ListenerLogIn } from '../security/log-in.ts'
import type { SaslExchange } from '../security/sasl/exchange.ts'
import type { PartitionView } from '../topics/views.ts'
import type { Stores } from './stores.ts'

/** What handlers see of a client connection. */
export interface Session {
  /** The listener that the client uses. */
  readonly listener: ListenerLogIn
  /** `User:alice`; `User:ANONYMOUS` before and without authentication. */
  principal: string
  readonly host: string
  readonly port: number
  /** The client's software, if it has said so (KIP-511). */
  softwareName?: string
  softwareVersion?: string
  /** The mechanism that SaslHandshake settled on. */
  saslMechanism: string | null
  /** The SASL exchange in progress. */
  exchange: SaslExchange | null
  /** Whether the next frames are bare tokens of the exchange, as after SaslHandshake version 0. */
  expectsBareToken: boolean
  authenticated: boolean
  /** Whether the client has logged in with a delegation token. */
  isToken: boolean
  /** By when the client has to reauthenticate, ms since the epoch (KIP-368). */
  expiresAt: number | null
  /** When the client last started to reauthenticate, ms since the epoch. */
  reauthenticatedAt: number | null
  /** Whether the connection closes after the response. */
  closesAfterResponse: boolean
}

export interface RequestContext {
  readonly brokerId: number
  readonly apiKey: number
  readonly version: number
  readonly clientId: string
  readonly session: Session
  /** Aborted when the client is gone or the broker goes down: nobody waits for the response any more. */
  readonly signal: AbortSignal
  allows(operation: AclOperation, type: AclResourceType, name: string): boolean
  /**
   * 0, or why this broker cannot serve the partition at the leader epoch that the client knows (-1: none).
   * @param asBroker - the broker to check for, this one by default
   */
  checkLeader(partition: PartitionView | undefined, currentLeaderEpoch: number, asBroker?: number): number
}

/** The client that quotas are charged to. */
export function quotaClient({ brokerId, clientId, session }: RequestContext): QuotaClient {
  return { brokerId, clientId, principal: session.principal }
}

/** Thrown to close the connection once the responses written so far are sent. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection'
}

/** What the shape of a refusal depends on besides the request's body. */
export type RefusedRequest = Pick<RequestContext, 'version' | 'session'>

/** One API as a broker serves it. */
export interface Route {
  readonly api: ServerApi<unknown, unknown>
  /** null: no response is sent (acks=0). */
  handle(body: unknown, context: RequestContext, stores: Stores): unknown
  /** The response to a request that is not carried out, with the error wherever Kafka puts one. */
  refusal(body: unknown, errorCode: number, request: RefusedRequest): unknown
}

/** Ties handler and refusal to an API. Their types are checked here, so the table of routes need not know them. */
export function route<Req, Res>(
  api: ServerApi<Req, Res>,
  handle: (body: Decoded<Req>, context: RequestContext, stores: Stores) => Res | null | Promise<Res | null>,
  refusal: (body: Decoded<Req>, errorCode: number, request: RefusedRequest) => Res,
): Route {
  // The handler takes what the reader of `api` returns.
  return { api: api as unknown as ServerApi<unknown, unknown>, handle, refusal }
}
