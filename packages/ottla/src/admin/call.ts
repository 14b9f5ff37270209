import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { KafkaError } from '../errors.ts'
import { INT32_MAX, requireInteger } from './arguments.ts'

/**
 * Options of every admin call.
 * @since 0.1.0
 */
export interface AdminOptions {
  /** Limit of the whole call in ms, retries included; -1 for none. Default: `socket.timeout.ms`. */
  readonly requestTimeoutMs?: number
  /**
   * How long the broker may take, in ms, to apply the change on the whole cluster (creating and deleting topics, adding
   * partitions, deleting records). Default: `requestTimeoutMs`.
   */
  readonly operationTimeoutMs?: number
  /**
   * The broker checks the request and changes nothing (creating topics and partitions, altering configs and quotas,
   * updating features).
   */
  readonly validateOnly?: boolean
  /** Aborts the call, which rejects with the signal's reason; requests already sent may still take effect. */
  readonly signal?: AbortSignal
}

/**
 * Options of calls that describe something.
 * @since 0.1.0
 */
export interface DescribeOptions extends AdminOptions {
  /** Also return the operations that this user is authorized for (KIP-430). */
  readonly includeAuthorizedOperations?: boolean
}

/** One admin call: its cluster and its limits. */
export interface AdminCall {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
  /** For the `timeoutMs` fields of requests. */
  readonly operationTimeoutMs: number
  readonly validateOnly: boolean
}

const LONGEST_TIMEOUT_MS = 3_600_000

/**
 * Starts a call.
 * @throws KafkaError ERR__INVALID_ARG for a timeout out of range; the signal's reason if it is aborted
 */
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
    // To a broker, a negative limit has already passed.
    operationTimeoutMs: operationTimeoutMs < 0 ? INT32_MAX : operationTimeoutMs,
    validateOnly: options.validateOnly ?? false,
  }
}

/** The error of one item from the broker's code and message; undefined if there is none. */
export function itemError(code: number, message: string | null, subject: string): KafkaError | undefined {
  if (code === ErrorCode.ERR_NO_ERROR) return undefined
  return KafkaError.of(code, subject, message)
}

/** To be spread: `{ error }`, or `{}` without an error. */
export function withError(error: KafkaError | undefined): { error?: KafkaError } {
  return error === undefined ? {} : { error }
}

/** Whether an error belongs to one item; any other (an abort, a closed client) ends the whole call. */
export function isItemError(error: unknown): error is KafkaError {
  return error instanceof KafkaError && error.code !== ErrorCode.ERR__DESTROY
}

/** Returns a request's error as a value, for its items; an abort or a closed client rejects the whole call. */
export async function settle<T>(request: Promise<T>): Promise<T | KafkaError> {
  try {
    return await request
  } catch (error) {
    if (isItemError(error)) return error
    throw error
  }
}

/** The error of an item that the broker's response lacks. */
export function missingAnswer(subject: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__BAD_MSG, `${subject}: the broker's response does not mention it`)
}

/** The first of the codes that says that the controller has moved, else 0. */
export function controllerMoved(codes: Iterable<number>): number {
  for (const code of codes) if (code === ErrorCode.ERR_NOT_CONTROLLER) return code
  return ErrorCode.ERR_NO_ERROR
}

const coordinatorCodes: ReadonlySet<number> = new Set([
  ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
  ErrorCode.ERR_NOT_COORDINATOR,
])

/** The first of the codes that says that the coordinator has moved or is not ready, else 0. */
export function coordinatorMoved(codes: Iterable<number>): number {
  for (const code of codes) if (coordinatorCodes.has(code)) return code
  return ErrorCode.ERR_NO_ERROR
}
