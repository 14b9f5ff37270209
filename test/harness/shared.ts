/** Clusters that all test files of a run share; tests that break brokers start their own. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { runJava } from './java.ts'
import { startKafka, type KafkaCluster, type KafkaOptions } from './kafka.ts'
import type { KafkaVersion } from './jars.ts'
import type { TlsAddress } from './kafka-tls.ts'

const everybody = ['admin', 'alice', 'bob', 'mallory']

/**
 * `single` is one broker without SASL and ACLs, `old` the same of the oldest release tested. `secured` is three brokers
 * with SASL PLAIN, TLS and ACLs: `admin` may do everything, and a password is the name followed by `password`. Sessions
 * by SCRAM-SHA-512 last three seconds.
 */
export const sharedClusters = {
  single: { brokers: 1 },
  old: { brokers: 1, version: '3.9.1' },
  secured: {
    brokers: 3,
    sasl: { users: Object.fromEntries(everybody.map(name => [name, `${name}password`])) },
    tls: true,
    acls: true,
    superUsers: ['admin'],
    config: { 'listener.name.sasl.scram-sha-512.connections.max.reauth.ms': '3000' },
  },
} as const satisfies Record<string, KafkaOptions>

export type SharedName = keyof typeof sharedClusters

/** A cluster that cannot be broken. */
export type SharedKafka = Omit<KafkaCluster, 'brokers' | 'logFolder'>

export interface SharedAddress {
  readonly bootstrapServers: string
  readonly plainBootstrapServers: string
  readonly dataFolder: string
  readonly tls: TlsAddress | undefined
}

/**
 * The run's cluster of that name; `npm test` starts it for the first file that asks. A file that runs alone gets its
 * own, which `close` stops.
 */
export async function sharedKafka(name: SharedName): Promise<SharedKafka> {
  const host = process.env['OTTLA_TEST_KAFKA_HOST']
  if (host === undefined) return startKafka(sharedClusters[name])
  const address = await askHost(Number(host), name)
  const options: KafkaOptions = sharedClusters[name]
  const version: KafkaVersion = options.version ?? '4.3.1'
  const close = (): Promise<void> => Promise.resolve()
  return {
    ...address,
    version,
    javaTool: (className, args, stdin) => runJava(version, className, args, stdin),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Sends a line with the name, and receives a line of JSON when the cluster is ready. */
async function askHost(port: number, name: SharedName): Promise<SharedAddress> {
  const socket = connect({ host: '127.0.0.1', port })
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.write(`${name}\n`)
  await once(socket, 'end')
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as SharedAddress | { failed: string }
  if ('failed' in answer) throw new Error(`the shared cluster '${name}' did not start: ${answer.failed}`)
  return answer
}
