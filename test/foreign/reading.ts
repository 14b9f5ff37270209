/** What we write is read by others: every codec, in and outside transactions. */
import { execFile, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { promisify } from 'node:util'
import { AdminClient, Producer, type ProducerConfig } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import type { Peer } from './peer.ts'
import { createTopic } from '../harness/topics.ts'

const run = promisify(execFile)
const quiet = (): void => undefined
const COUNT = 200

/** Each has a partition of its own. */
const ways = (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).flatMap(codec =>
  (['plain', 'idempotent', 'transactional'] as const).map(kind => ({ codec, kind })),
)
type Way = (typeof ways)[number]

/** Sorted `key value header` of all that a reader sees of a topic. */
type Reader = (bootstrapServers: string, topic: string) => Promise<string[]>

/** A client in a process of its own that is told what to do. */
export function peerReader(peer: () => Peer): Reader {
  return async (_, topic) => (await peer().ask({ do: 'consume', topic, isolation: 'read_committed' })) as string[]
}

export const hasKcat = spawnSync('kcat', ['-V']).status === 0

/** kcat, where it is installed. */
export const kcat: Reader = async (bootstrapServers, topic) => {
  const { stdout } = await run('kcat', [
    ...['-C', '-q', '-e', '-b', bootstrapServers, '-t', topic, '-o', 'beginning'],
    ...['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true', '-f', '%k %s %h\n'],
  ])
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => line.replace(' h=x', ' x'))
}

interface World {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** @param readers by the names that tests have for them */
export function readingScenarios(start: () => Promise<World>, readers: Readonly<Record<string, Reader>>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet })
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  const valuesOf = ({ codec, kind }: Way): string[] =>
    Array.from({ length: COUNT }, (_, i) => `${codec} ${kind} ${i} ${'of some length '.repeat(5).trim()}`)
  const expected = ways.flatMap(valuesOf).map(value => `k${value} ${value} x${value}`)

  async function write(topic: string, way: Way, partition: number): Promise<void> {
    const isTransactional = way.kind === 'transactional'
    const config: ProducerConfig = {
      'bootstrap.servers': world.bootstrapServers,
      'compression.codec': way.codec,
      'enable.idempotence': way.kind !== 'plain',
      ...(isTransactional ? { 'transactional.id': fresh('reading') } : {}),
    }
    const producer = new Producer(config, { logger: quiet })
    const send = async (values: readonly string[]): Promise<void> => {
      const messages = values.map(value => ({ topic, partition, key: `k${value}`, value, headers: { h: `x${value}` } }))
      for (const { error } of await producer.sendBatch(messages)) assert.equal(error, undefined)
    }
    const values = valuesOf(way)
    if (isTransactional) {
      await producer.initTransactions()
      producer.beginTransaction()
      await send(['never seen'])
      await producer.abortTransaction()
      await producer.transaction(async () => send(values.slice(0, COUNT / 2)))
      await producer.transaction(async () => send(values.slice(COUNT / 2)))
    } else {
      await send(values)
    }
    await producer.close()
  }

  for (const [name, read] of Object.entries(readers)) {
    test(`what we write with every codec, in and outside transactions, is read by ${name}`, async () => {
      const topic = fresh('read')
      await createTopic(world.bootstrapServers, topic, { numPartitions: ways.length, replicationFactor: 1 })
      await Promise.all(ways.map((way, partition) => write(topic, way, partition)))
      const seen = await read(world.bootstrapServers, topic)
      assert.deepEqual(seen.sort(), expected.sort())
    })
  }
}
