import { Option, type Command } from 'commander'
import { collect, integer, parseCredentials } from '../terminal/parsers.ts'
import { DONE, stopped, type Terminal } from '../terminal/terminal.ts'
import { startEmbedded, type EmbeddedOptions } from './embedded.ts'

interface BrokerOptions {
  readonly brokers: number
  readonly port: number
  readonly partitions?: number
  readonly dataDir?: string
  readonly fsync?: boolean
  readonly sasl: readonly string[]
  readonly as?: NonNullable<EmbeddedOptions['as']>
  readonly seed?: number
}

export function addBroker(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  program
    .command('broker')
    .description('Run an embedded cluster for development')
    .option('--brokers <number>', 'number of brokers', integer(1, 100), 1)
    .option('--port <port>', 'port of the first broker, the others follow; 0: free ports', integer(0, 65_535), 9092)
    .option('--partitions <number>', 'partitions of automatically created topics', integer(1))
    .option('--data-dir <directory>', 'keep the data there across restarts; without it, everything is in memory')
    .option('--fsync', 'acknowledge only what is on disk, so that a power failure loses nothing')
    .option('--sasl <user:password>', 'require SASL PLAIN and let this user in; repeatable', collect, [])
    .addOption(
      new Option('--as <release>', 'the Kafka release that the brokers pose as').choices(['2.1', '3.9', '4.3']),
    )
    .option('--seed <number>', 'makes ids and other random choices reproducible', integer(0))
    .action(async (options: BrokerOptions) => {
      exit(await broker(options, terminal))
    })
}

async function broker(options: BrokerOptions, terminal: Terminal): Promise<number> {
  const cluster = await startEmbedded({
    brokers: options.brokers,
    port: options.port,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir, fsync: options.fsync === true }),
    ...(options.partitions === undefined ? {} : { defaultPartitions: options.partitions }),
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.sasl.length === 0 ? {} : { sasl: { mechanisms: ['PLAIN'], users: parseUsers(options.sasl) } }),
  })
  try {
    terminal.stdout.write(`listening on ${cluster.bootstrapServers}\n`)
    await stopped(terminal.stop)
    return DONE
  } finally {
    await cluster.close()
  }
}

/** @throws UsageError */
export function parseUsers(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => {
      const { user, password } = parseCredentials(pair, '--sasl')
      return [user, password]
    }),
  )
}
