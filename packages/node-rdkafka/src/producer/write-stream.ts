/** A Writable that produces. */
import { Writable } from 'node:stream'
import { ErrorCode } from 'ottla'
import type { MetadataOptions } from '../types/client.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { MessageHeader } from '../types/messages.ts'
import type { WriteStreamOptions } from '../types/producer.ts'

/** What the stream needs of its producer. */
interface Sender {
  isConnected(): boolean
  connect(options: MetadataOptions, cb: (error: LibrdKafkaError | null) => void): unknown
  disconnect(cb: () => void): unknown
  once(event: string, listener: () => void): unknown
  onReport(work: () => void): void
  produce(
    topic: string,
    partition: number | null | undefined,
    message: unknown,
    key?: unknown,
    timestamp?: number | null,
    opaque?: unknown,
    headers?: readonly MessageHeader[],
  ): unknown
}

/** A message in object mode. */
interface StreamedMessage {
  readonly topic: string
  readonly partition?: number | null
  readonly value: unknown
  readonly key?: unknown
  readonly timestamp?: number | null
  readonly opaque?: unknown
  readonly headers?: MessageHeader[]
}

type Done = (error?: Error | null) => void

export class WriteStream extends Writable {
  readonly producer: Sender
  readonly topicName: string | undefined
  readonly autoClose: boolean
  readonly connectOptions: MetadataOptions

  constructor(producer: Sender, given?: WriteStreamOptions | string) {
    const options = optionsOf(given)
    const { objectMode, topic, autoClose = true, encoding } = options
    if (objectMode !== true && topic === undefined)
      throw new TypeError('ProducerStreams not using objectMode must provide a topic to produce to.')
    super({ ...options, autoDestroy: autoClose })
    this.producer = producer
    this.topicName = topic
    this.autoClose = autoClose
    this.connectOptions = (options.connectOptions ?? {}) as MetadataOptions
    if (encoding !== undefined) this.setDefaultEncoding(encoding as BufferEncoding)
    if (!producer.isConnected()) this.connect(this.connectOptions)
  }

  connect(options: MetadataOptions = {}): void {
    this.producer.connect(options, error => {
      if (error === null) return
      if (this.autoClose) this.destroy(error as Error & LibrdKafkaError)
      else this.emit('error', error)
    })
  }

  /** Disconnects the producer, which delivers what is queued. */
  close(cb?: () => void): void {
    if (cb !== undefined) {
      if (this.closed) setImmediate(cb)
      else this.once('close', cb)
    }
    this.destroy()
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: Done): void {
    this.#whenConnected(() => this.#send([chunk], 0, done))
  }

  override _writev(chunks: { chunk: unknown }[], done: Done): void {
    const all = chunks.map(({ chunk }) => chunk)
    this.#whenConnected(() => this.#send(all, 0, done))
  }

  override _destroy(error: Error | null, done: Done): void {
    this.producer.disconnect(() => done(error))
  }

  #whenConnected(work: () => void): void {
    if (this.producer.isConnected()) work()
    else this.producer.once('ready', work)
  }

  #send(chunks: readonly unknown[], from: number, done: Done): void {
    for (let i = from; i < chunks.length; i++) {
      try {
        this.#produce(chunks[i])
      } catch (error) {
        if ((error as LibrdKafkaError).code !== ErrorCode.ERR__QUEUE_FULL) {
          done(error as Error)
          return
        }
        // Each message in the queue gets a report, and leaves room.
        this.producer.onReport(() => setImmediate(() => this.#send(chunks, i, done)))
        return
      }
    }
    done()
  }

  #produce(chunk: unknown): void {
    if (Buffer.isBuffer(chunk)) {
      this.producer.produce(this.topicName ?? '', null, chunk, null)
      return
    }
    const { topic, partition, value, key, timestamp, opaque, headers } = chunk as StreamedMessage
    this.producer.produce(topic, partition, value, key, timestamp, opaque, headers)
  }
}

function optionsOf(given: WriteStreamOptions | string | undefined): WriteStreamOptions {
  if (given === undefined) return {}
  if (typeof given === 'string') return { encoding: given }
  // Whatever the types say.
  if (typeof (given as unknown) !== 'object' || (given as unknown) === null)
    throw new TypeError('"streamOptions" argument must be a string or an object')
  return given
}
