/** Client metrics (KIP-714): what each client has to push, and whether a push is valid. */
import { ErrorCode, ProtocolError, ZERO_UUID, codecById, crc32c } from '@ottla/protocol'
import type { ClientMetrics, ClientTraits } from './client-metrics.ts'
import type { Clock } from '../base/clock.ts'
import { newUuid, type Random } from '../base/random.ts'

/**
 * The metrics of one push of a client.
 * @since 0.1.0
 */
export interface TelemetryPush {
  readonly brokerId: number
  /** Assigned by the cluster; the same for the client's whole life. */
  readonly clientInstanceId: string
  readonly clientId: string
  /** Whether the client is closing and this is its last push. */
  readonly terminating: boolean
  /** MetricsData of the OpenTelemetry protocol (protobuf), decompressed. */
  readonly metrics: Uint8Array
}

export interface TelemetryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly subscriptions: ClientMetrics
  readonly receive: (push: TelemetryPush) => void
}

/** What a client has to push. */
export interface TelemetrySubscription {
  readonly clientInstanceId: string
  readonly subscriptionId: number
  readonly metrics: readonly string[]
  readonly intervalMs: number
}

interface Instance extends TelemetrySubscription {
  /** Version of the subscriptions that the client's was made from. */
  readonly version: number
  lastGet: number
  lastPush: number
  lastError: number
  isTerminating: boolean
  lastSeen: number
}

/** Largest push, bytes. */
export const TELEMETRY_MAX_BYTES = 1_048_576
/** zstd, lz4, gzip, snappy, in order of preference. */
export const telemetryCompression: readonly number[] = [4, 3, 1, 2]

const DECOMPRESSED_MAX_BYTES = 16 * 1024 * 1024
// Ids that Kafka reserves.
const reservedIds: readonly string[] = [ZERO_UUID, 'AAAAAAAAAAAAAAAAAAAAAQ']
const MAX_INSTANCES = 16_384
// Instances are forgotten after three intervals, but not before a minute.
const MIN_EXPIRY_MS = 60_000

/** Errors after which a client may get its subscription again at once. */
const retriableAtOnce: readonly number[] = [
  ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID,
  ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE,
]

export class Telemetry {
  readonly #options: TelemetryOptions
  readonly #instances = new Map<string, Instance>()

  constructor(options: TelemetryOptions) {
    this.#options = options
  }

  /** @param givenId ZERO_UUID for a client without an id @returns the subscription or an error code */
  subscribe(brokerId: number, givenId: string, traits: ClientTraits): TelemetrySubscription | number {
    const id = givenId === ZERO_UUID ? newUuid(this.#options.random) : givenId
    const instance = this.#instance(brokerId, id, traits)
    const now = this.#options.clock.now()
    const elapsed = now - Math.max(instance.lastGet, instance.lastPush)
    if (elapsed < instance.intervalMs && !retriableAtOnce.includes(instance.lastError)) {
      return ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED
    }
    instance.lastGet = now
    instance.lastError = ErrorCode.ERR_NO_ERROR
    return instance
  }

  /** @returns 0, or why the push is refused */
  push(
    brokerId: number,
    request: {
      readonly clientInstanceId: string
      readonly subscriptionId: number
      readonly terminating: boolean
      readonly compressionType: number
      readonly metrics: Uint8Array
    },
    traits: ClientTraits,
  ): number {
    const { clientInstanceId, terminating, metrics } = request
    if (reservedIds.includes(clientInstanceId)) return ErrorCode.ERR_INVALID_REQUEST
    const instance = this.#instance(brokerId, clientInstanceId, traits)
    instance.lastError = this.#pushProblem(instance, request)
    instance.isTerminating = terminating
    if (instance.lastError !== ErrorCode.ERR_NO_ERROR || metrics.length === 0) return instance.lastError
    try {
      const plain = codecById(request.compressionType).decompress(metrics, DECOMPRESSED_MAX_BYTES)
      const clientId = traits.client_id
      // A copy, because what was decoded shares memory with its frame.
      this.#options.receive({ brokerId, clientInstanceId, clientId, terminating, metrics: Buffer.from(plain) })
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      instance.lastError = ErrorCode.ERR_INVALID_RECORD
    }
    return instance.lastError
  }

  #pushProblem(
    instance: Instance,
    request: {
      readonly subscriptionId: number
      readonly terminating: boolean
      readonly compressionType: number
      readonly metrics: Uint8Array
    },
  ): number {
    if (instance.isTerminating) return ErrorCode.ERR_INVALID_REQUEST
    const now = this.#options.clock.now()
    // The first push after a subscription may be earlier than the interval says.
    const isInTime = instance.lastGet > instance.lastPush || now - instance.lastPush >= instance.intervalMs
    if (!isInTime && !request.terminating) return ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED
    if (isInTime) instance.lastPush = now
    if (request.subscriptionId !== instance.subscriptionId) return ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID
    if (request.compressionType !== 0 && !telemetryCompression.includes(request.compressionType)) {
      return ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE
    }
    return request.metrics.length > TELEMETRY_MAX_BYTES ? ErrorCode.ERR_TELEMETRY_TOO_LARGE : ErrorCode.ERR_NO_ERROR
  }

  // A new one if subscriptions have changed or the client was silent for too long.
  #instance(brokerId: number, id: string, traits: ClientTraits): Instance {
    const { subscriptions, clock } = this.#options
    const now = clock.now()
    const key = `${brokerId}/${id}`
    const known = this.#instances.get(key)
    this.#instances.delete(key)
    const isOld = known === undefined || known.version < subscriptions.version
    const expiryMs = Math.max(MIN_EXPIRY_MS, 3 * (known?.intervalMs ?? 0))
    const isForgotten = known !== undefined && now - known.lastSeen > expiryMs
    const instance =
      isOld || isForgotten ? newInstance(id, subscriptions, { ...traits, client_instance_id: id }) : known
    instance.lastSeen = now
    this.#instances.set(key, instance)
    // The first one is the least recently used.
    const [oldest] = this.#instances.keys()
    if (this.#instances.size > MAX_INSTANCES && oldest !== undefined) this.#instances.delete(oldest)
    return instance
  }
}

function newInstance(id: string, subscriptions: ClientMetrics, traits: ClientTraits): Instance {
  const { metrics, intervalMs } = subscriptions.subscriptionFor(traits)
  return {
    clientInstanceId: id,
    // Differs for other metrics and for other clients.
    subscriptionId: crc32c(Buffer.from(`${metrics.join()}/${intervalMs}/${id}`)) | 0,
    metrics,
    intervalMs,
    version: subscriptions.version,
    lastGet: 0,
    lastPush: 0,
    lastError: ErrorCode.ERR_NO_ERROR,
    isTerminating: false,
    lastSeen: 0,
  }
}
