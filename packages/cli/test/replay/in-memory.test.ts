/** A recording of a client on a cluster is replayed to another client, without a socket. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { simulate } from '@ottla/broker/simulation'
import { Consumer, Producer, wireRecording, type ClientOptions } from 'ottla'
import { serve, type BrokerSide } from '../../src/replay/broker-side.ts'
import { readRecording } from '../../src/replay/read.ts'
import { Script } from '../../src/replay/script.ts'
import { transcribe } from '../../src/replay/transcript.ts'
import { MemorySocket } from './story.ts'

const folder = mkdtempSync(join(tmpdir(), 'ottla-replay-'))
after(() => rmSync(folder, { recursive: true }))

type Network = NonNullable<ClientOptions['network']>

/** The network of a client whose brokers are those of a recording. */
function networkOf(file: string): { network: Network; script: Script; lines: string[] } {
  const transcript = transcribe(readRecording(file))
  const lines: string[] = []
  const side: BrokerSide = {
    script: new Script(transcript),
    names: transcript.names,
    addressOf: address => address,
    speed: Infinity,
    later: (_, callback) => setImmediate(callback),
    report: line => lines.push(line),
  }
  const network: Network = {
    connect: ({ host, port }) => {
      const [client, server] = MemorySocket.pair()
      serve(server, `${host}:${port}`, side)
      setImmediate(() => client.emit('connect'))
      return client
    },
    lookup: (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  }
  return { network, script: side.script, lines }
}

type Program = (bootstrapServers: string, options: ClientOptions) => Promise<unknown[]>

const seed = 1

/** Runs a program on virtual time, so that its choices are the same each time, and records it. */
function recorded(
  file: string,
  cluster: NonNullable<Parameters<typeof simulate>[0]['cluster']>,
  program: Program,
): Promise<{ seen: unknown[]; servers: string }> {
  return simulate({ seed, cluster }, async simulation => {
    const record = wireRecording(file)
    const seen = await program(simulation.bootstrapServers, { ...simulation.host('client'), record })
    record.close()
    return { seen, servers: simulation.bootstrapServers }
  })
}

/** Runs a program whose brokers are those of a recording. */
function replayed(file: string, servers: string, program: Program): Promise<unknown[]> {
  const { network, lines } = networkOf(file)
  return simulate({ seed }, async simulation => {
    try {
      return await program(servers, { ...simulation.host('client'), network })
    } catch (error) {
      throw new Error(lines.join('\n'), { cause: error })
    }
  })
}

/** Produces three messages, then reads them. @returns what was seen of them */
async function produceAndRead(bootstrapServers: string, options: ClientOptions): Promise<unknown[]> {
  const producer = new Producer({ 'bootstrap.servers': bootstrapServers, 'enable.idempotence': true }, options)
  const send = (key: string) => producer.send({ topic: 'orders', key, value: `value of ${key}` })
  const reports = await Promise.all(['a', 'b', 'c'].map(send))
  await producer.close()
  const seen: unknown[] = reports.map(({ topic, partition, offset }) => [topic, partition, offset])
  const group = { 'group.id': 'g', 'group.protocol': 'consumer', 'auto.offset.reset': 'earliest' } as const
  const consumer = new Consumer({ 'bootstrap.servers': bootstrapServers, ...group }, options)
  consumer.subscribe(['orders'])
  const offsets: number[] = []
  for await (const message of consumer) {
    offsets.push(message.offset)
    seen.push([message.key?.length, message.value?.length])
    if (offsets.length === 3) break
  }
  await consumer.close()
  return [...seen, offsets]
}

test('a client sees of a replayed recording what the recorded one saw, in sizes and offsets, again and again', async () => {
  const file = join(folder, 'orders.jsonl')
  const { seen, servers } = await recorded(file, { brokers: 1, defaultPartitions: 1 }, produceAndRead)
  for (let round = 0; round < 3; round++) assert.deepEqual(await replayed(file, servers, produceAndRead), seen)
})

/** Moves messages from one topic to another in transactions, as a member of a classic group. @returns what was seen */
async function transform(bootstrapServers: string, options: ClientOptions): Promise<unknown[]> {
  const config = { 'bootstrap.servers': bootstrapServers }
  const source = new Producer(config, options)
  await source.sendBatch(['a', 'b', 'c'].map(value => ({ topic: 'orders', partition: 0, value })))
  await source.close()
  const group = { 'group.id': 'g', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false } as const
  const consumer = new Consumer({ ...config, ...group }, options)
  consumer.subscribe(['orders'])
  const producer = new Producer({ ...config, 'transactional.id': 'mover' }, options)
  const seen: unknown[] = []
  for (let i = 0; i < 3; i++) {
    const message = await consumer.readMessage()
    await producer.transaction(async tx => {
      const { offset } = await tx.send({ topic: 'payments', partition: 0, value: message.value })
      seen.push([message.offset, message.value?.length, offset])
    })
  }
  await Promise.all([consumer.close(), producer.close()])
  return seen
}

test('transactions and classic groups are replayed, too', async () => {
  const file = join(folder, 'transactions.jsonl')
  const { seen, servers } = await recorded(file, { brokers: 3, defaultPartitions: 1 }, transform)
  assert.deepEqual(await replayed(file, servers, transform), seen)
})
