/** The producers of `ottla` behind one of kafkajs, which chooses acknowledgements and compression for every call. */
import { Producer, type ProducerConfig, type ProducerOptions } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { CompressionTypes } from '../enums.ts'

export type Acks = -1 | 0 | 1

/** What one call of `send` asks for. */
export interface SendOptions {
  readonly acks: Acks
  readonly compression: CompressionTypes
  /** How long the broker may wait for its replicas, ms; undefined for the default. */
  readonly timeout: number | undefined
}

const codecs: Readonly<Record<CompressionTypes, NonNullable<ProducerConfig['compression.type']>>> = {
  [CompressionTypes.None]: 'none',
  [CompressionTypes.GZIP]: 'gzip',
  [CompressionTypes.Snappy]: 'snappy',
  [CompressionTypes.LZ4]: 'lz4',
  [CompressionTypes.ZSTD]: 'zstd',
}

/**
 * The name of a compression.
 * @throws KafkaJSNonRetriableError for one that does not exist
 */
export function codecName(compression: CompressionTypes): (typeof codecs)[CompressionTypes] {
  const name = (codecs as Partial<typeof codecs>)[compression]
  if (name !== undefined) return name
  throw new KafkaJSNonRetriableError(`Unknown compression type ${String(compression)}`)
}

export class ProducerPool {
  readonly #config: ProducerConfig
  readonly #options: ProducerOptions
  readonly #onMade: (producer: Producer) => void
  readonly #producers = new Map<string, Producer>()

  /** @param onMade called for each new one */
  constructor(config: ProducerConfig, options: ProducerOptions, onMade: (producer: Producer) => void) {
    this.#config = config
    this.#options = options
    this.#onMade = onMade
  }

  /** The producer for these options; the timeout is that of the first call. One that failed for good is replaced. */
  get({ acks, compression, timeout }: SendOptions): Producer {
    const codec = codecName(compression)
    const key = `${acks} ${codec}`
    const existing = this.#producers.get(key)
    if (existing !== undefined && existing.fatalError === null) return existing
    if (existing !== undefined) void existing.close(0)
    const producer = new Producer(
      {
        ...this.#config,
        acks,
        'compression.type': codec,
        ...(timeout === undefined ? {} : { 'request.timeout.ms': Math.min(900_000, Math.max(1, Math.round(timeout))) }),
      },
      this.#options,
    )
    this.#producers.set(key, producer)
    this.#onMade(producer)
    return producer
  }

  /** Flushes and closes all of them. */
  async close(timeoutMs?: number): Promise<void> {
    const all = [...this.#producers.values()]
    this.#producers.clear()
    await Promise.all(all.map(producer => producer.close(timeoutMs)))
  }
}
