import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { KafkaError } from '../errors.ts'
import { INT32_MAX, requireInteger } from './arguments.ts'

/**
 * What every admin call accepts.
 * @since 0.1.0
 */
export interface AdminOptions {
  /** Limit of the whole call in ms, retries included; -1 for none. Default: `socket.timeout.ms`. */
  readonly requestTimeoutMs?: number
  /**
   * How long the broker may take, in ms, until the change is in force on the whole cluster (creating and
   * deleting topics, adding partitions, deleting records). Default: `requestTimeoutMs`.
   */
  readonly operationTimeoutMs?: number
  /**
   * Have the broker check the request and do nothing (creating topics and partitions, altering configs and quotas,
   * updating features).
   */
  readonly validateOnly?: boolean
  /** Gives up when aborted: the call rejects with the signal's reason; what was already sent may still happen. */
  readonly signal?: AbortSignal
}

/**
 * What calls that describe something accept besides.
 * @since 0.1.0
 */
export interface DescribeOptions extends AdminOptions {
  /** Also tell what the asking user may do (KIP-430). */
  readonly includeAuthorizedOperations?: boolean
}

/** One admin call on its way: where it goes and how long it may take. */
export interface AdminCall {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
  /** For the wire's `timeoutMs` fields. */
  readonly operationTimeoutMs: number
  readonly validateOnly: boolean
}

const LONGEST_TIMEOUT_MS = 3_600_000

/** @throws KafkaError ERR__INVALID_ARG for a timeout out of range; the signal's reason if it is aborted already */
export function startCall(context: ClientContext, cluster: Cluster, options: AdminOptions): AdminCall {
  options.signal?.throwIfAborted()
  const { settings, clock } = context
  const requestTimeoutMs = options.requestTimeoutMs ?? settings['socket.timeout.ms']
  requireInteger(requestTimeoutMs, 'requestTimeoutMs', -1, LONGEST_TIMEOUT_MS)
  const operationTimeoutMs = options.operationTimeoutMs ?? requestTimeoutMs
  requireInteger(operationTimeoutMs, 'operationTimeoutMs', -1, LONGEST_TIMEOUT_MS)
  return {
    context,
    cluster,
    deadline: Deadline.after(clock, requestTimeoutMs),
    signal: options.signal,
    // A broker takes a negative limit for one that has passed.
    operationTimeoutMs: operationTimeoutMs < 0 ? INT32_MAX : operationTimeoutMs,
    validateOnly: options.validateOnly ?? false,
  }
}

/** A broker's code and words as the error of one item; undefined when there is none. */
export function itemError(code: number, message: string | null, subject: string): KafkaError | undefined {
  if (code === ErrorCode.ERR_NO_ERROR) return undefined
  return KafkaError.of(code, subject, message)
}

/** Spreads to `{ error }`, or to nothing when there is none. */
export function withError(error: KafkaError | undefined): { error?: KafkaError } {
  return error === undefined ? {} : { error }
}

/** An error that belongs to one item; anything else (an abort, a closed client) ends the whole call. */
export function isItemError(error: unknown): error is KafkaError {
  return error instanceof KafkaError && error.code !== ErrorCode.ERR__DESTROY
}

/** A failed request as a value, to be the error of its items; an abort or a closed client rejects the whole call. */
export async function settle<T>(request: Promise<T>): Promise<T | KafkaError> {
  try {
    return await request
  } catch (error) {
    if (isItemError(error)) return error
    throw error
  }
}

/** The broker left an item out of its answer. */
export function missingAnswer(subject: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__BAD_MSG, `${subject}: the broker's response does not mention it`)
}

/** The first of the codes that tells the cluster to look for the controller again, else 0. */
export function controllerMoved(codes: Iterable<number>): number {
  for (const code of codes) if (code === ErrorCode.ERR_NOT_CONTROLLER) return code
  return ErrorCode.ERR_NO_ERROR
}

const coordinatorCodes: ReadonlySet<number> = new Set([
  ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
  ErrorCode.ERR_NOT_COORDINATOR,
])

/** The first of the codes that tells the cluster to look for the coordinator again, else 0. */
export function coordinatorMoved(codes: Iterable<number>): number {
  for (const code of codes) if (coordinatorCodes.has(code)) return code
  return ErrorCode.ERR_NO_ERROR
}
