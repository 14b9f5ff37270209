import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Option, type Command } from 'commander'
import { wireRecording } from 'ottla'
import { addressFrom, Listeners } from '../listen/listeners.ts'
import { hostPort } from '../terminal/host-port.ts'
import { integer } from '../terminal/parsers.ts'
import { DONE, note, stopped, UsageError, type Terminal } from '../terminal/terminal.ts'
import { Relay } from './relay.ts'

interface RecordOptions {
  readonly brokers: string
  readonly listen: number
  readonly host: string
  readonly payloads: 'mask' | 'keep'
  readonly tls?: boolean
  readonly ca?: string
}

const DEFAULT_PORT = 9092

export function addRecord(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  program
    .command('record')
    .description('Record what any client and its brokers say to each other')
    .argument('<file>', 'where the recording goes; `ottla replay` reads it')
    .requiredOption('-b, --brokers <list>', 'brokers to pass connections on to: host:port,...')
    .option('--listen <port>', 'port in place of the first broker, others follow; 0: free ports', integer(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--payloads <what>', 'keys, values and header values; passwords and tokens are always masked')
        .choices(['mask', 'keep'])
        .default('mask'),
    )
    .option('--tls', 'speak TLS with the brokers; the client does without')
    .option('--ca <file>', 'with --tls: certificates to trust, PEM')
    .action(async (file: string, options: RecordOptions) => {
      exit(await record(file, options, terminal))
    })
}

async function record(file: string, options: RecordOptions, terminal: Terminal): Promise<number> {
  const brokers = options.brokers.split(',').map(brokerFrom)
  const open = connector(options)
  const recording = wireRecording(file, { payloads: options.payloads })
  let connections = 0
  const listeners = new Listeners(options.host, options.listen, (socket, broker) => {
    new Relay(socket, {
      broker,
      connect: () => open(broker),
      isTls: options.tls === true,
      addressFor: ({ host, port }) => listeners.open(hostPort(host, port)),
      record: (client, to, address) => {
        connections++
        return recording.client(client).connecting(to, address)
      },
      onProblem: why => note(terminal, why),
    })
  })
  try {
    const bootstrap: string[] = []
    for (const broker of brokers) {
      const { host, port } = await listeners.open(broker)
      bootstrap.push(hostPort(host, port))
    }
    terminal.stdout.write(`bootstrap.servers=${bootstrap.join(',')}\n`)
    await stopped(terminal.stop)
    return DONE
  } finally {
    await listeners.close()
    recording.close()
    note(terminal, `${connections} ${connections === 1 ? 'connection' : 'connections'} recorded in ${file}`)
  }
}

/** @throws UsageError */
function brokerFrom(text: string): string {
  const [, host = '', port = DEFAULT_PORT] = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? []
  if (host === '' || Number(port) > 65_535) throw new UsageError(`-b ${text}: write it as HOST:PORT,...`)
  return `${host}:${port}`
}

/** @throws UsageError for a file that cannot be read */
function connector({ tls, ca }: RecordOptions): (broker: string) => Socket {
  if (ca !== undefined && tls !== true) throw new UsageError('--ca needs --tls')
  const trusted = ca === undefined ? {} : { ca: certificates(ca) }
  return broker => {
    const { host, port } = addressFrom(broker)
    if (tls !== true) return connect({ host, port, noDelay: true })
    const socket = connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...trusted })
    socket.setNoDelay(true)
    return socket
  }
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--ca ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
