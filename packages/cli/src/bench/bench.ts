import { Argument, Option, type Command } from 'commander'
import type { ClientOptions } from 'ottla'
import {
  addClusterOptions,
  clientOptions,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
  type ClusterProperties,
} from '../client/options.ts'
import { integer } from '../terminal/parsers.ts'
import { DONE, FAILED, UsageError, type Terminal } from '../terminal/terminal.ts'
import { benchConsume } from './consume.ts'
import { benchLatency, benchProduce } from './produce.ts'
import { resultLine, type BenchApi, type BenchOperation, type BenchPlan, type BenchRun } from './result.ts'

type BenchOptions = ClusterOptions &
  Omit<BenchPlan, 'api' | 'idempotent' | 'keys' | 'outstanding'> & {
    readonly outstanding?: number
    readonly api?: BenchApi
    readonly idempotent?: boolean
    readonly keys?: boolean
  }

// Default of --outstanding. Other clients' benchmarks queue up to 100,000; fewer stay in the processor's cache.
const OUTSTANDING_CALLBACKS = 20_000
const OUTSTANDING_SENDS = 1_000

/** What each operation can measure; the first is the default. */
const apis: Readonly<Record<BenchOperation, readonly [BenchApi, ...BenchApi[]]>> = {
  produce: ['callback', 'send'],
  latency: ['callback', 'send'],
  consume: ['batches', 'poll', 'iterate'],
}

export function addBench(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('bench')
    .description('Benchmark this client; the last line is the result as JSON')
    .addArgument(new Argument('<operation>').choices(['produce', 'consume', 'latency']))
    .requiredOption('-t, --topic <topic>', 'the topic to produce to or consume from')
    .option('-c, --count <number>', 'messages to measure', integer(1), 100_000)
    .option('--size <bytes>', 'size of each value', integer(0, 100_000_000), 100)
    .addOption(
      new Option('-z, --compression <codec>').choices(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
    )
    .option('--acks <acks>', 'all, 1 or 0', 'all')
    .option('--linger-ms <ms>', 'how long to wait for a fuller batch', integer(0), 5)
    .option('--batch-bytes <bytes>', 'largest size of a batch', integer(1), 1_000_000)
    .option('--idempotent', 'produce with idempotence')
    .option('--keys', 'produce with keys, a thousand different ones')
    .option('--warmup <number>', 'messages before the measurement', integer(0), 0)
    .option(
      '--outstanding <number>',
      `produce: limit of messages without a report (default: ${OUTSTANDING_CALLBACKS}, with --api send ${OUTSTANDING_SENDS})`,
      integer(1),
    )
    .addOption(
      new Option('--api <name>', 'produce, latency: callback or send; consume: batches, poll or iterate').choices([
        'callback',
        'send',
        'batches',
        'poll',
        'iterate',
      ]),
    )
  addClusterOptions(command).action(async (operation: BenchOperation, options: BenchOptions) => {
    exit(await bench(operation, options, terminal))
  })
}

async function bench(operation: BenchOperation, options: BenchOptions, terminal: Terminal): Promise<number> {
  const api = options.api ?? apis[operation][0]
  if (!apis[operation].includes(api)) {
    throw new UsageError(`--api ${api}: for bench ${operation} use ${apis[operation].join(' or ')}`)
  }
  const plan: BenchPlan = {
    ...options,
    api,
    idempotent: options.idempotent === true,
    keys: options.keys === true,
    outstanding: options.outstanding ?? (api === 'send' ? OUTSTANDING_SENDS : OUTSTANDING_CALLBACKS),
  }
  const properties = requireBrokers(clusterProperties(options))
  const shared = clientOptions(terminal, options)
  try {
    const run = await measure(operation, properties, plan, shared)
    terminal.stdout.write(`${resultLine(operation, plan, run)}\n`)
    return run.checksumOk ? DONE : FAILED
  } finally {
    shared.record?.close()
  }
}

function measure(
  operation: BenchOperation,
  properties: ClusterProperties,
  plan: BenchPlan,
  shared: ClientOptions,
): Promise<BenchRun> {
  switch (operation) {
    case 'produce':
      return benchProduce(properties, plan, shared)
    case 'consume':
      return benchConsume(properties, plan, shared)
    case 'latency':
      return benchLatency(properties, plan, shared)
    default:
      return operation satisfies never
  }
}
