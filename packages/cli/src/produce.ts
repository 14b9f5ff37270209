import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import {
  ErrorCode,
  KafkaError,
  PARTITION_UA,
  Producer,
  type DeliveryReport,
  type Header,
  type ProducerConfig,
  type ProducerMessage,
} from 'ottla'
import { firstContact } from './connect.ts'
import { unescapeBytes } from './escapes.ts'
import { explain } from './explain.ts'
import {
  addClusterOptions,
  clientLogger,
  clusterProperties,
  collect,
  integer,
  requireBrokers,
  type ClusterOptions,
} from './options.ts'
import { Splitter } from './splitter.ts'
import { DONE, FAILED, UsageError, note, type Terminal } from './terminal.ts'

interface ProduceOptions extends ClusterOptions {
  readonly topic: string
  readonly partition: number
  readonly key?: string
  readonly keyDelimiter?: string
  readonly delimiter: string
  readonly compression?: string
  readonly header: readonly string[]
  readonly null?: boolean
  readonly lines?: boolean
  readonly count?: number
}

export function addProduce(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('produce')
    .description('Send messages: the lines of standard input, or files')
    .argument('[files...]', 'each file is one message; with -l each of its lines is')
    .requiredOption('-t, --topic <topic>', 'where to')
    .option('-p, --partition <number>', 'partition; by default the key decides', integer(PARTITION_UA), PARTITION_UA)
    .option('-k, --key <key>', 'the key of every message')
    .option('-K, --key-delimiter <delimiter>', 'what stands between key and value in the input')
    .option('-D, --delimiter <delimiter>', 'what stands between messages', '\\n')
    .option('-z, --compression <codec>', 'none, gzip, snappy, lz4 or zstd')
    .option('-H, --header <name=value>', 'a header of every message; repeatable', collect, [])
    .option('-Z, --null', 'send empty keys and values as null')
    .option('-l, --lines', 'read lines from the files, as from standard input')
    .option('-c, --count <number>', 'stop after so many messages', integer(1))
  addClusterOptions(command).action(async (files: string[], options: ProduceOptions) => {
    exit(await produce(files, options, terminal))
  })
}

async function produce(files: readonly string[], options: ProduceOptions, terminal: Terminal): Promise<number> {
  const shape = messageShape(options)
  const config: ProducerConfig = requireBrokers(clusterProperties(options))
  if (options.compression !== undefined) Object.assign(config, { 'compression.codec': options.compression })
  const producer = new Producer(config, { logger: clientLogger(terminal, options) })
  try {
    await firstContact(producer)
    // As with kcat, the whole input is one transaction.
    const isTransaction = config['transactional.id'] !== undefined
    if (isTransaction) {
      await producer.initTransactions()
      producer.beginTransaction()
    }
    const sender = new Sender(producer, terminal, options)
    for await (const value of inputs(files, options, terminal)) {
      if (terminal.stop.aborted || sender.full) break
      await sender.send(shape(value))
    }
    await producer.flush(-1)
    if (isTransaction) await endTransaction(producer, sender.failed || terminal.stop.aborted, terminal)
    return sender.finish()
  } finally {
    await producer.close()
  }
}

async function endTransaction(producer: Producer, isFailed: boolean, terminal: Terminal): Promise<void> {
  if (!isFailed) return producer.commitTransaction()
  await producer.abortTransaction()
  note(terminal, 'the transaction was aborted: nothing of it counts')
}

/** Counts what was accepted and what became of it. */
class Sender {
  readonly #producer: Producer
  readonly #terminal: Terminal
  readonly #limit: number
  readonly #onReport: (report: DeliveryReport) => void
  #accepted = 0
  #failed = 0
  #firstError: KafkaError | null = null

  constructor(producer: Producer, terminal: Terminal, options: ProduceOptions) {
    this.#producer = producer
    this.#terminal = terminal
    this.#limit = options.count ?? Infinity
    this.#onReport = ({ error }) => {
      if (error !== undefined) this.#fail(error)
    }
  }

  get full(): boolean {
    return this.#accepted >= this.#limit
  }

  /** Whether a message was not delivered. */
  get failed(): boolean {
    return this.#failed > 0
  }

  /** Waits for room in the queue. A message that is refused counts as failed; the others go on. */
  async send(message: ProducerMessage): Promise<void> {
    this.#accepted++
    for (;;) {
      try {
        this.#producer.produce(message, this.#onReport)
        return
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (error.code !== ErrorCode.ERR__QUEUE_FULL) {
          this.#fail(error)
          return
        }
        await this.#producer.flush(QUEUE_FULL_WAIT_MS)
      }
    }
  }

  finish(): number {
    if (this.#firstError === null) return DONE
    const what = `${this.#failed} of ${this.#accepted} messages were not delivered`
    this.#terminal.stderr.write(`ottla produce: ${what}; the first: ${explain(this.#firstError)}\n`)
    return FAILED
  }

  #fail(error: KafkaError): void {
    this.#failed++
    this.#firstError ??= error
  }
}

const QUEUE_FULL_WAIT_MS = 100

/** Cuts an input into key and value as the options say. */
function messageShape(options: ProduceOptions): (data: Buffer) => ProducerMessage {
  const { topic, partition, key: fixedKey } = options
  const keyDelimiter = options.keyDelimiter === undefined ? undefined : unescapeBytes(options.keyDelimiter, '-K')
  if (keyDelimiter?.length === 0) throw new UsageError('-K: the delimiter must not be empty')
  const headers = options.header.map(parseHeader)
  const emptyIsNull = options.null === true
  const orNull = (data: Buffer): Buffer | null => (emptyIsNull && data.length === 0 ? null : data)
  return data => {
    const at = keyDelimiter === undefined ? -1 : data.indexOf(keyDelimiter)
    const key = at < 0 ? (fixedKey ?? null) : orNull(data.subarray(0, at))
    const value = at < 0 ? data : data.subarray(at + (keyDelimiter?.length ?? 0))
    return { topic, partition, key, value: orNull(value), headers }
  }
}

function parseHeader(text: string): Header {
  const at = text.indexOf('=')
  if (at === 0 || text === '') throw new UsageError(`-H ${text}: write it as name=value`)
  // As with kcat, a name alone is a header without a value.
  return at < 0 ? { key: text, value: null } : { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) }
}

async function* inputs(
  files: readonly string[],
  options: ProduceOptions,
  terminal: Terminal,
): AsyncGenerator<Buffer, void, undefined> {
  const delimiter = unescapeBytes(options.delimiter, '-D')
  if (delimiter.length === 0) throw new UsageError('-D: the delimiter must not be empty')
  if (files.length === 0) {
    if (options.lines === true) throw new UsageError('-l: name the file to read')
    if ('isTTY' in terminal.stdin && terminal.stdin.isTTY === true && options.quiet !== true) {
      note(terminal, 'one message a line; end with Ctrl-D')
    }
    yield* split(terminal.stdin, delimiter, terminal.stop)
    return
  }
  for (const file of files) {
    if (options.lines === true) yield* split(createReadStream(file), delimiter, terminal.stop)
    else yield await readFile(file)
  }
}

async function* split(stream: Readable, delimiter: Buffer, stop: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const splitter = new Splitter(delimiter)
  const end = (): void => void stream.destroy()
  stop.addEventListener('abort', end, { once: true })
  try {
    for await (const chunk of stream) yield* splitter.push(Buffer.from(chunk as Buffer | string)) // bytes or text
    yield* splitter.end()
  } catch (error) {
    // Destroyed by the user's wish to stop: what came so far is what there is.
    if (!stop.aborted) throw error
  } finally {
    stop.removeEventListener('abort', end)
  }
}
