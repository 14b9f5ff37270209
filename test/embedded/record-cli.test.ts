/** `ottla record`: a proxy that records what clients of every kind say to their brokers. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { SaslHandshake, parseRecording, type Recording } from '@ottla/protocol'
import { Kafka, logLevel } from 'kafkajs'
import { AdminClient, Consumer, Producer } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'
import { closing } from '../harness/closing.ts'
import { WireClient } from '../harness/wire-client.ts'
import { finished, ottla, type Running } from './cli-terminal.ts'

const content = 'a content that nobody may see'

let cluster: EmbeddedCluster
let folder: string

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3, defaultPartitions: 3 })
  folder = mkdtempSync(join(tmpdir(), 'ottla-record-'))
})

after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true })
})

interface Recorder {
  readonly file: string
  readonly running: Running
  readonly bootstrapServers: string
  /** Ends the recording, and reads it. */
  readonly ended: () => Promise<{ text: string; recording: Recording; shown: string }>
}

async function recorder(bootstrapServers: string, ...options: string[]): Promise<Recorder> {
  const file = join(folder, `${fresh('recording')}.jsonl`)
  const running = ottla('record', '-b', bootstrapServers, ...options, file)
  await running.printed('bootstrap.servers=')
  return {
    file,
    running,
    bootstrapServers: /^bootstrap\.servers=(\S+)$/m.exec(running.out())?.[1] ?? '',
    ended: async () => {
      running.interrupt()
      assert.equal(await running.done, 0)
      const text = readFileSync(file, 'utf8')
      return { text, recording: parseRecording(text), shown: (await finished(['replay', file])).out }
    },
  }
}

/** Fails if the text is in the file, as it is or in a frame. */
function assertAbsent({ text, recording }: { text: string; recording: Recording }, secret: string): void {
  assert.ok(!text.includes(secret))
  for (const event of recording.events) {
    if ('frame' in event) assert.equal(event.frame?.includes(secret) ?? false, false, `in a ${event.event}`)
  }
}

test('a client goes through the recorder to every broker, and nothing passes it by', async () => {
  const { bootstrapServers, ended, running } = await recorder(cluster.bootstrapServers.split(',')[0] ?? '')
  const topic = fresh('recorded')
  const producer = closing(new Producer({ 'bootstrap.servers': bootstrapServers, 'client.id': 'alice' }))
  await Promise.all([0, 1, 2].map(partition => producer.send({ topic, partition, value: content })))
  await producer.close()
  const group = { 'group.id': fresh('group'), 'auto.offset.reset': 'earliest' } as const
  const consumer = closing(new Consumer({ 'bootstrap.servers': bootstrapServers, 'client.id': 'bob', ...group }))
  consumer.subscribe([topic])
  for (let i = 0; i < 3; i++) assert.equal((await consumer.readMessage()).value?.toString(), content)
  await consumer.close()
  const all = await ended()
  assertAbsent(all, content)
  for (const id of [1, 2, 3]) {
    assert.match(all.shown, new RegExp(`alice > broker ${id} +Produce v\\d+ .*${topic}\\[\\d\\] 1 record`))
    assert.match(all.shown, new RegExp(`broker ${id} > bob +Fetch v\\d+ .*${topic}\\[\\d\\] 1 record`))
  }
  assert.match(running.err(), /^% \d+ connections recorded in .*\.jsonl$/m)
})

test('a client of another make can be recorded, and its contents kept', async () => {
  const { bootstrapServers, ended } = await recorder(cluster.bootstrapServers, '--payloads', 'keep')
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const topic = fresh('recorded')
  await producer.send({ topic, messages: [{ value: content }] })
  await producer.disconnect()
  const { shown, recording } = await ended()
  assert.match(shown, new RegExp(`kafkajs > broker \\d +Produce v\\d+ .*${topic}\\[\\d\\] 1 record`))
  assert.ok(recording.events.some(event => 'frame' in event && event.frame?.includes(content) === true))
})

const password = 'the-password-of-alice'

test('passwords are not in the file: SCRAM of a client, the bare token, refused, of an old one', async () => {
  await using secured = await EmbeddedCluster.start({
    sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256'], users: { alice: password } },
  })
  const { bootstrapServers, ended } = await recorder(secured.bootstrapServers, '--payloads', 'keep')
  const admin = closing(
    new AdminClient({
      'bootstrap.servers': bootstrapServers,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': 'SCRAM-SHA-256',
      'sasl.username': 'alice',
      'sasl.password': password,
    }),
  )
  await admin.getMetadata()
  await admin.close()
  const old = await WireClient.connect(bootstrapServers)
  await old.ask(SaslHandshake, 0, { mechanism: 'PLAIN' })
  const token = Buffer.from(`\0alice\0${password}!`)
  old.write(Buffer.concat([Buffer.from([0, 0, 0, token.length]), token]))
  await old.closed
  const all = await ended()
  assertAbsent(all, password)
  assertAbsent(all, 'n=alice')
  assert.match(all.shown, /SaslAuthenticate v\d+ #\d+\.\d+ {2}\(masked\)/)
  assert.match(all.shown, /a request of 29 bytes, left out when it was recorded/)
})

test('with --tls, a client without TLS talks to brokers with it', async () => {
  const authority = Authority.make('Recorder')
  const { key, cert } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  await using secured = await EmbeddedCluster.start({ tls: { key, cert, ca: authority.cert } })
  const { bootstrapServers, ended } = await recorder(secured.bootstrapServers, '--tls', '--ca', authority.certFile)
  const admin = closing(new AdminClient({ 'bootstrap.servers': bootstrapServers }))
  assert.equal((await admin.getMetadata()).brokers.length, 1)
  await admin.close()
  assert.match((await ended()).shown, /Metadata v\d+/)
})

test('a broker that cannot be reached is named, and the client cut off', async () => {
  const { bootstrapServers, ended, running } = await recorder('127.0.0.1:1')
  const client = await WireClient.connect(bootstrapServers)
  await client.closed
  const { shown } = await ended()
  assert.match(running.err(), /^% 127\.0\.0\.1:1: connect ECONNREFUSED/m)
  assert.match(shown, /client > 127\.0\.0\.1:1 +connection 1 refused: connect ECONNREFUSED/)
})

test('a client that speaks TLS is told apart', async () => {
  const { bootstrapServers, ended, running } = await recorder(cluster.bootstrapServers)
  const client = await WireClient.connect(bootstrapServers)
  client.write(Buffer.from([0x16, 3, 1, 0, 0x80, 1]))
  await client.closed
  await ended()
  assert.match(running.err(), /TLS of the client cannot be recorded/)
})

test('wrong usage is refused with the reason', async () => {
  const file = join(folder, 'unused')
  const refused = async (...args: string[]): Promise<string> => {
    const { status, out, err } = await finished(['record', ...args])
    assert.deepEqual([status, out], [2, ''])
    return err
  }
  assert.match(await refused(file), /required option '-b, --brokers <list>'/)
  assert.match(await refused('-b', 'localhost:port', file), /-b localhost:port: write it as HOST:PORT/)
  assert.match(await refused('-b', 'localhost', '--ca', 'x', file), /--ca needs --tls/)
  assert.match(await refused('-b', 'localhost', '--tls', '--ca', join(folder, 'none'), file), /--ca .*none: ENOENT/)
  assert.match(await refused('-b', 'localhost', join(folder, 'no', 'such')), /cannot record to/)
})
