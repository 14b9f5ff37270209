import { Option, type Command } from 'commander'
import type { EmbeddedCluster } from '@ottla/broker'
import { collect, integer } from '../terminal/parsers.ts'
import { tableLines } from '../terminal/table.ts'
import { DONE, stopped, type Terminal } from '../terminal/terminal.ts'
import { startEmbedded } from './embedded.ts'
import { parseTopic } from './topics.ts'
import { CLIENT_AUTH, MECHANISMS, embeddedOptions, type BrokerOptions } from './options.ts'

export function addBroker(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('broker')
    .description('Run an embedded cluster for development')
    .option('--brokers <number>', 'number of brokers', integer(1, 100))
    .option('--port <port>', 'port of the first broker, the others follow; 0: free ports (9092)', integer(0, 65_535))
    .option('--host <host>', 'host or address to listen on (127.0.0.1); 0.0.0.0: all')
    .option('--partitions <number>', 'partitions of automatically created topics', integer(1))
    .option('--schema-registry [port]', 'run a schema registry beside it (8081); 0: a free port')
    .option('--data-dir <directory>', 'keep the data there across restarts; without it, everything is in memory')
    .option('--fsync', 'acknowledge only what is on disk, so that a power failure loses nothing')
    .addOption(
      new Option('--as <release>', 'the Kafka release that the brokers pose as').choices(['2.1', '3.9', '4.3']),
    )
    .option('--seed <number>', 'makes ids and other random choices reproducible', integer(0))
    .option('--first-id <number>', 'id of the first broker, the others count up (1)', integer(0))
    .option('--rack <name>', "the first broker's rack, then the second's; repeatable", collect, [])
    .option('--topic <name:partitions[:key=value,...]>', 'create a topic; repeatable', collect, [])
    .option('--config <key=value>', "a broker's setting, as log.retention.ms=60000; repeatable", collect, [])
    .option('--properties <file>', "a broker's server.properties; options win over it")
  addListenerOptions(command)
  addAccessOptions(command)
  command.action(async (options: BrokerOptions) => {
    exit(await broker(options, terminal))
  })
}

function addListenerOptions(command: Command): void {
  command
    .optionsGroup('Listeners:')
    .option(
      '--listener <name=protocol://host:port>',
      'in place of --port and --host, repeatable; PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
      collect,
      [],
    )
    .option(
      '--advertised <[name=]host[:port]>',
      'what clients are told to connect to, for all listeners or one; repeatable',
      collect,
      [],
    )
    .optionsGroup('Security:')
    .option('--sasl <user:password>', 'require SASL and let this user in; repeatable', collect, [])
    .addOption(new Option('--sasl-mechanism <name...>', 'the mechanisms that are offered (PLAIN)').choices(MECHANISMS))
    .option('--tls-cert <file>', "the brokers' certificate, PEM: listeners use TLS")
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-ca <file>', "authorities of clients' certificates, PEM")
    .addOption(
      new Option('--tls-client-auth <which>', 'whether clients need a certificate of their own').choices(CLIENT_AUTH),
    )
}

function addAccessOptions(command: Command): void {
  command
    .optionsGroup('Authorization:')
    .option(
      '--acl <allow|deny user operations type name>',
      "as 'allow alice read,describe topic orders*'; forbids what no ACL allows; repeatable",
      collect,
      [],
    )
    .option('--super-user <name>', 'may do everything, where others need ACLs; repeatable', collect, [])
    .option('--allow-everyone-if-no-acl-found', 'everyone may use what no ACL names')
}

async function broker(options: BrokerOptions, terminal: Terminal): Promise<number> {
  const embedded = embeddedOptions(options)
  const topics = options.topic.map(parseTopic)
  const cluster = await startEmbedded(embedded)
  try {
    // With a data directory they may be there already.
    const known = new Set(cluster.topics().map(({ name }) => name))
    for (const { name, ...topic } of topics) if (!known.has(name)) cluster.createTopic(name, topic)
    for (const line of addressLines(cluster, embedded.listeners?.map(({ name }) => name) ?? [])) {
      terminal.stdout.write(`${line}\n`)
    }
    if (embedded.schemaRegistry !== undefined)
      terminal.stdout.write(`schema registry on ${cluster.schemaRegistryUrl}\n`)
    await stopped(terminal.stop)
    return DONE
  } finally {
    await cluster.close()
  }
}

/** Where the cluster listens; what each listener advertises, if there are several. */
export function addressLines(
  cluster: Pick<EmbeddedCluster, 'bootstrapServers' | 'listener'>,
  listeners: readonly string[],
): string[] {
  const first = `listening on ${cluster.bootstrapServers}`
  if (listeners.length < 2) return [first]
  const table = tableLines(listeners, [
    { title: 'listener', cell: name => name },
    { title: 'bootstrap servers', cell: name => cluster.listener(name) },
  ])
  return [first, ...table]
}
