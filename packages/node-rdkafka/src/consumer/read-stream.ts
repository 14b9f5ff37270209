/** A Readable of what a consumer reads. */
import { Readable, type ReadableOptions } from 'node:stream'
import type { Metadata, MetadataOptions } from '../types/client.ts'
import type { ReadStreamOptions } from '../types/consumer.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { Message, SubscribeTopicList } from '../types/messages.ts'

/** What the stream needs of its consumer. */
interface Source {
  isConnected(): boolean
  connect(options: MetadataOptions, cb: (error: LibrdKafkaError | null, metadata: Metadata) => void): unknown
  disconnect(cb: () => void): unknown
  subscribe(topics: SubscribeTopicList): unknown
  unsubscribe(): unknown
  setOauthBearerToken(token: string): unknown
  consume(count: number, cb: (error: LibrdKafkaError | null, messages?: Message[]) => void): void
  on(event: string, listener: () => void): unknown
}

type Topics = SubscribeTopicList | ((metadata: Metadata) => SubscribeTopicList)

const WAIT_MS = 1000
const NOTHING = Buffer.alloc(0)

export class ReadStream extends Readable {
  readonly consumer: Source
  readonly topics: Topics
  readonly autoClose: boolean
  readonly waitInterval: number
  readonly fetchSize: number
  readonly connectOptions: MetadataOptions
  readonly streamAsBatch: boolean
  readonly #isOfMessages: boolean
  #isSubscribed = false
  #isReading = false
  #isEnding = false
  /** How much is asked for; 0 while there is no room. */
  #wanted = 0
  #pause: NodeJS.Timeout | null = null

  constructor(consumer: Source, given?: ReadStreamOptions | number) {
    const options = optionsOf(given)
    const { fetchSize = 1, objectMode = true, streamAsBatch = false, autoClose = true } = options
    const topics = topicsOf(options.topics)
    const readable: ReadableOptions = { ...options, objectMode: objectMode || streamAsBatch, autoDestroy: autoClose }
    if (readable.highWaterMark === undefined && objectMode) readable.highWaterMark = fetchSize + 2
    super(readable)
    this.consumer = consumer
    this.topics = topics
    this.autoClose = autoClose
    this.waitInterval = options.waitInterval ?? WAIT_MS
    this.fetchSize = fetchSize
    this.connectOptions = (options.connectOptions ?? {}) as MetadataOptions
    this.streamAsBatch = streamAsBatch
    this.#isOfMessages = objectMode
    consumer.on('unsubscribed', () => this.#end())
    consumer.on('ready', () => this.#fetch())
    if (options.initOauthBearerToken !== undefined) consumer.setOauthBearerToken(options.initOauthBearerToken)
    this.connect(this.connectOptions)
  }

  connect(options: MetadataOptions = {}): void {
    // Connected already, it answers in the next turn.
    this.consumer.connect(options, (error, metadata) => {
      if (this.destroyed) return
      if (error !== null) {
        this.destroy(error as Error & LibrdKafkaError)
        return
      }
      try {
        this.consumer.subscribe(typeof this.topics === 'function' ? this.topics(metadata) : this.topics)
      } catch (thrown) {
        this.destroy(thrown as Error)
        return
      }
      this.#isSubscribed = true
      this.#fetch()
    })
  }

  refreshOauthBearerToken(tokenStr: string): void {
    this.consumer.setOauthBearerToken(tokenStr)
  }

  /** Unsubscribes and disconnects the consumer. */
  close(cb?: () => void): void {
    if (cb !== undefined) {
      if (this.closed) setImmediate(cb)
      else this.once('close', cb)
    }
    this.destroy()
  }

  override _read(size: number): void {
    this.#wanted = size
    this.#fetch()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#pause !== null) clearTimeout(this.#pause)
    if (this.consumer.isConnected()) this.consumer.unsubscribe()
    this.consumer.disconnect(() => done(error))
  }

  #fetch(): void {
    if (this.#wanted === 0 || !this.#isSubscribed || this.#isReading || this.#isEnding) return
    if (this.destroyed || !this.consumer.isConnected()) return
    this.#isReading = true
    this.consumer.consume(Math.min(this.fetchSize, this.#wanted), (error, messages = []) => {
      this.#isReading = false
      if (this.destroyed) return
      const hasRoom = this.#pushAll(messages)
      if (this.#isEnding) this.push(null)
      else if (messages.length === 0) this.#fetchLater(error === null ? this.waitInterval : WAIT_MS)
      else if (hasRoom) this.#fetch()
      else this.#wanted = 0
      // It goes on if somebody listens to its errors.
      if (error !== null) this.emit('error', error)
    })
  }

  /** @returns whether there is room for more */
  #pushAll(messages: Message[]): boolean {
    if (this.streamAsBatch) return messages.length === 0 || this.push(messages)
    let hasRoom = true
    // Null would be the end of the stream.
    for (const message of messages) hasRoom = this.push(this.#isOfMessages ? message : (message.value ?? NOTHING))
    return hasRoom
  }

  /** @param mostMs the time is chosen at random, so that consumers do not ask all at once */
  #fetchLater(mostMs: number): void {
    if (mostMs === 0) setImmediate(() => this.#fetch())
    else this.#pause = setTimeout(() => this.#fetch(), mostMs * Math.random()).unref()
  }

  /** After what is being read. */
  #end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    if (!this.#isReading && !this.destroyed) this.push(null)
  }
}

function optionsOf(given: ReadStreamOptions | number | undefined): Partial<ReadStreamOptions> {
  if (given === undefined) return {}
  if (typeof given === 'number') return { waitInterval: given }
  // Whatever the types say.
  if (typeof (given as unknown) !== 'object' || (given as unknown) === null)
    throw new TypeError('"options" argument must be a number or an object')
  return given
}

function topicsOf(topics: ReadStreamOptions['topics'] | undefined): Topics {
  if (typeof topics === 'function' || Array.isArray(topics)) return topics
  if (typeof topics === 'string' || topics instanceof RegExp) return [topics]
  throw new TypeError('"topics" argument must be a string, regex, or an array')
}
