import type { Command } from 'commander'
import {
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  OFFSET_END,
  type ConsumerConfig,
  type Metadata,
  type RebalanceEvent,
  type TopicPartition,
} from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import {
  addClusterOptions,
  clientOptions,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
  type ClusterProperties,
} from '../client/options.ts'
import { addSchemaOptions, messageDecoder, type SchemaOptions } from '../client/schemas.ts'
import { unescapeBytes } from '../terminal/escapes.ts'
import { Output } from '../terminal/output.ts'
import { collect, integer } from '../terminal/parsers.ts'
import { DONE, UsageError, note, type Terminal } from '../terminal/terminal.ts'
import { EndTracker, partitionName } from './end-tracker.ts'
import { compileFormat, jsonLine, lineFormat, tokens, type MessageFormat } from './format.ts'
import { parseOffset, startingPoints, type Start } from './start.ts'

interface ConsumeOptions extends ClusterOptions, SchemaOptions {
  readonly topic: readonly string[]
  readonly partition?: number
  readonly offset?: string
  readonly exit?: boolean
  readonly count?: number
  readonly format?: string
  readonly json?: boolean
  readonly keyDelimiter?: string
  readonly delimiter: string
  readonly null?: boolean
  readonly group?: string
  readonly unbuffered?: boolean
}

export function addConsume(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('consume')
    .description('Print messages: of partitions, from an offset on, or as a member of a group')
    .argument('[topics...]', 'topics; with -G, one that begins with ^ is a regular expression')
    .option('-t, --topic <topic>', 'a topic; repeatable', collect, [])
    .option('-p, --partition <number>', 'only this partition', integer(0))
    .option('-o, --offset <offset>', 'beginning, end, stored, N, -N (N before the end) or s@MS (from that time)')
    .option('-G, --group <id>', 'join this group and commit the offsets of printed messages')
    .option('-e, --exit', 'exit at the end of all partitions')
    .option('-c, --count <number>', 'exit after this many messages', integer(1))
    .option('-f, --format <format>', 'how to print a message, see below')
    .option('-J, --json', 'print a JSON object per message')
    .option('-K, --key-delimiter <delimiter>', 'print the key and this delimiter before the value')
    .option('-D, --delimiter <delimiter>', 'print this delimiter after each message', '\\n')
    .option('-Z, --null', 'print null keys and values as NULL')
    .option('-u, --unbuffered', 'write each message without buffering')
    .addHelpText('after', `\nTokens of -f:\n${formatHelp()}`)
  addClusterOptions(
    addSchemaOptions(
      command,
      'print keys and values that name a schema of this registry as JSON',
      'fail on what has no schema of this format',
    ),
  ).action(async (topics: string[], options: ConsumeOptions) => {
    exit(await consume([...options.topic, ...topics], options, terminal))
  })
}

function formatHelp(): string {
  return Object.entries(tokens)
    .map(([token, { what }]) => `  %${token}  ${what}`)
    .join('\n')
}

async function consume(topics: readonly string[], options: ConsumeOptions, terminal: Terminal): Promise<number> {
  if (topics.length === 0) throw new UsageError('no topic: name one with -t')
  if (options.group !== undefined && options.partition !== undefined) {
    throw new UsageError('-p: with -G the group assigns the partitions; omit -p or -G')
  }
  const format = messageFormat(options)
  const decode = messageDecoder(options)
  const start = parseOffset(options.offset)
  const properties = requireBrokers(clusterProperties(options))
  const shared = clientOptions(terminal, options)
  const consumer = new Consumer(consumerConfig(properties, options, start), shared)
  const output = new Output(terminal.stdout, options.unbuffered === true)
  const onStop = (): void => void consumer.close().catch(() => undefined) // the close below reports it
  terminal.stop.addEventListener('abort', onStop, { once: true })
  try {
    const ends = new EndTracker(options.exit === true)
    if (options.group === undefined) {
      const [only = '', ...more] = topics
      const metadata = await firstContact(consumer, more.length === 0 ? { topic: only } : {})
      const partitions = partitionsOf(metadata, topics, options.partition)
      ends.expect(partitions)
      await consumer.assign(await startingPoints(consumer, partitions, start))
    } else {
      await firstContact(consumer)
      consumer.subscribe([...topics], event => announce(event, options, terminal, ends))
    }
    await printAll(consumer, { format, decode }, output, ends, options, terminal)
    await output.end()
    return DONE
  } catch (error) {
    if (terminal.stop.aborted) return DONE
    throw error
  } finally {
    terminal.stop.removeEventListener('abort', onStop)
    await consumer.close()
    shared.record?.close()
  }
}

async function printAll(
  consumer: Consumer,
  { format, decode }: { readonly format: MessageFormat; readonly decode: ReturnType<typeof messageDecoder> },
  output: Output,
  ends: EndTracker,
  options: ConsumeOptions,
  terminal: Terminal,
): Promise<void> {
  const limit = options.count ?? Infinity
  let printed = 0
  while (!terminal.stop.aborted && !output.closed && printed < limit) {
    // Write what has been read before waiting for more.
    const event = (await consumer.poll(0)) ?? (await idle(consumer, output))
    if (event === null) continue
    if (event.type === 'message') {
      output.write(format(decode === null ? event.message : await decode(event.message)))
      printed++
      await output.pace()
    } else if (event.type === 'partition-eof') {
      await output.flush()
      if (options.quiet !== true)
        note(terminal, `reached the end of ${event.topic} [${event.partition}] at offset ${event.offset}`)
      if (ends.reached(event)) return
    } else if (event.type === 'error') {
      if (!isTransient(event.error)) throw event.error
      if (options.quiet !== true) note(terminal, explain(event.error))
    }
  }
}

const IDLE_MS = 1000

async function idle(consumer: Consumer, output: Output): ReturnType<Consumer['poll']> {
  await output.flush()
  return consumer.poll(IDLE_MS)
}

/** Whether the client recovers from the error by itself. */
function isTransient(error: KafkaError): boolean {
  return error.isRetriable || error.code === ErrorCode.ERR__ALL_BROKERS_DOWN || error.code === ErrorCode.ERR__TRANSPORT
}

function announce(event: RebalanceEvent, options: ConsumeOptions, terminal: Terminal, ends: EndTracker): void {
  if (event.type === 'assign') ends.expect(event.partitions)
  else ends.forget(event.partitions)
  if (options.quiet === true) return
  const word = { assign: 'assigned', revoke: 'revoked', lost: 'lost' }[event.type]
  note(terminal, `group ${options.group ?? ''}: ${word} ${event.partitions.map(partitionName).join(', ') || 'nothing'}`)
}

function consumerConfig(
  properties: ClusterProperties,
  options: ConsumeOptions,
  start: Start | undefined,
): ConsumerConfig {
  const config: ClusterProperties = { 'auto.offset.reset': 'earliest', ...properties, 'enable.partition.eof': true }
  if (options.group === undefined) return { 'enable.auto.commit': false, ...config }
  config['group.id'] = options.group
  if (start === undefined) return config
  // In a group, -o applies only where nothing is committed.
  if (start.kind === 'offset' && start.offset === OFFSET_BEGINNING) config['auto.offset.reset'] = 'earliest'
  else if (start.kind === 'offset' && start.offset === OFFSET_END) config['auto.offset.reset'] = 'latest'
  else throw new UsageError('-o: with -G only beginning or end, for partitions without a committed offset')
  return config
}

function partitionsOf(metadata: Metadata, topics: readonly string[], only: number | undefined): TopicPartition[] {
  return topics.flatMap(topic => {
    const found = metadata.topics.find(t => t.topic === topic)
    if (found?.error !== undefined) throw found.error
    if (found === undefined) throw new KafkaError(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, `there is no topic '${topic}'`)
    const partitions = found.partitions.filter(p => only === undefined || p.partition === only)
    if (partitions.length === 0) {
      const count = found.partitions.length
      throw new KafkaError(
        ErrorCode.ERR__UNKNOWN_PARTITION,
        `topic '${topic}' has ${count} partitions, but no partition ${only ?? 0}`,
      )
    }
    return partitions.map(({ partition }) => ({ topic, partition }))
  })
}

function messageFormat(options: ConsumeOptions): MessageFormat {
  const nullText = options.null === true ? 'NULL' : ''
  if (options.json === true) {
    if (options.format !== undefined) throw new UsageError('give -J or -f, not both')
    return jsonLine
  }
  if (options.format !== undefined) return compileFormat(options.format, { nullText })
  const keyDelimiter = options.keyDelimiter === undefined ? undefined : unescapeBytes(options.keyDelimiter, '-K')
  return lineFormat({ keyDelimiter, delimiter: unescapeBytes(options.delimiter, '-D'), nullText })
}
