/** What clients record of the wire, and what they must not. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  BatchReader,
  ClusterNames,
  Conversation,
  Fetch,
  Produce,
  codecByName,
  messageWords,
  parseRecording,
  type CodecName,
  type FetchResponse,
  type ProduceRequest,
  type Recording,
  type RecordingEvent,
  type WireMessage,
} from '@ottla/protocol'
import { AdminClient, Consumer, Producer, ShareConsumer, wireRecording, type WireRecording } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'
import { closing } from '../harness/closing.ts'
import { unsecured } from '../harness/unsecured-token.ts'

const codecs: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const content = 'a content that nobody may see'
const message = { key: `key: ${content}`, value: `value: ${content}`, headers: { trace: `header: ${content}` } }

let cluster: EmbeddedCluster
let folder: string

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 1, defaultPartitions: 1 })
  folder = mkdtempSync(join(tmpdir(), 'ottla-recording-'))
})

after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true })
})

function newRecording(payloads: 'mask' | 'keep' = 'mask'): WireRecording {
  return wireRecording(join(folder, `${fresh('recording')}.jsonl`), { payloads })
}

/** Ends a recording, and reads it. */
function ended(recording: WireRecording): { text: string; recording: Recording; messages: WireMessage[] } {
  recording.close()
  const text = readFileSync(recording.file, 'utf8')
  const parsed = parseRecording(text)
  return { text, recording: parsed, messages: messagesOf(parsed) }
}

function messagesOf({ events }: Recording): WireMessage[] {
  const conversations = new Map<number, Conversation>()
  return events.flatMap(event => {
    if (event.event !== 'request' && event.event !== 'response') return []
    assert.ok(event.frame !== null, 'every frame could be masked')
    const conversation = conversations.get(event.connection) ?? new Conversation()
    conversations.set(event.connection, conversation)
    const decoded = conversation[event.event](event.frame)
    assert.ok(decoded.api !== null, decoded.api === null ? decoded.why : '')
    return [decoded]
  })
}

/** Fails if any of the texts is in the file, as it is or in the frames. */
function assertAbsent({ text, recording }: { text: string; recording: Recording }, ...secrets: string[]): void {
  const frames = Buffer.concat(recording.events.map(event => ('frame' in event ? (event.frame ?? empty) : empty)))
  for (const secret of secrets) {
    assert.ok(!text.includes(secret), `${secret} is in the file`)
    assert.ok(!text.includes(Buffer.from(secret).toString('base64').slice(0, -4)), `${secret} is in the file, encoded`)
    assert.ok(!frames.includes(secret), `${secret} is in a frame`)
  }
}

const empty = Buffer.alloc(0)

/** Every key, value and value of a header in the batches. */
function contentsOf(messages: readonly WireMessage[]): string[] {
  const batches = messages.flatMap(({ api, kind, body }) => {
    if (api.key === Produce.key && kind === 'request')
      return (body as ProduceRequest).topicData.flatMap(topic => topic.partitionData.map(each => each.records))
    if (api.key === Fetch.key && kind === 'response')
      return (body as FetchResponse).responses.flatMap(topic => topic.partitions.map(each => each.records))
    return []
  })
  return batches.flatMap(records => {
    const contents: string[] = []
    const reader = new BatchReader((records as Buffer | null) ?? empty)
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      if (batch.isControl) continue
      for (const cursor = batch.records(); cursor.next();) {
        const parts = [cursor.key(), cursor.value(), ...cursor.headers().map(({ value }) => value)]
        contents.push(...parts.map(String))
      }
    }
    return contents
  })
}

async function produceAndConsume(
  recording: WireRecording,
  bootstrapServers: string,
  codec: CodecName = 'none',
  properties: Readonly<Record<string, string>> = {},
): Promise<void> {
  const topic = fresh('recorded')
  const config = { 'bootstrap.servers': bootstrapServers, 'client.id': 'alice', ...properties }
  const producer = closing(
    new Producer({ ...config, 'compression.codec': codec, 'linger.ms': 50 }, { record: recording }),
  )
  await Promise.all(Array.from({ length: 20 }, () => producer.send({ topic, partition: 0, ...message })))
  await producer.close()
  const group = { 'group.id': fresh('group'), 'auto.offset.reset': 'earliest' } as const
  const consumer = closing(new Consumer({ ...config, ...group }, { record: recording }))
  consumer.subscribe([topic])
  const got = await consumer.readMessage()
  assert.equal(got.value?.toString(), message.value)
  await consumer.close()
}

for (const codec of codecs) {
  test(`contents are masked in the file, and every frame can still be read (${codec})`, async () => {
    const recording = newRecording()
    await produceAndConsume(recording, cluster.bootstrapServers, codec)
    const all = ended(recording)
    assertAbsent(all, content)
    const contents = contentsOf(all.messages)
    assert.equal(contents.length, 2 * 20 * 3)
    for (const each of contents) assert.match(each, /^x+$/)
    const sizes = [message.key, message.value, message.headers.trace].map(({ length }) => length)
    assert.deepEqual(
      contents.slice(0, 3).map(({ length }) => length),
      sizes,
    )
  })
}

test('with payloads: keep, contents are in the file', async () => {
  const recording = newRecording('keep')
  await produceAndConsume(recording, cluster.bootstrapServers)
  assert.ok(contentsOf(ended(recording).messages).includes(message.value))
})

test('a recording tells of connections, requests and answers, in order', async () => {
  const recording = newRecording()
  await produceAndConsume(recording, cluster.bootstrapServers)
  const { recording: read, messages } = ended(recording)
  assert.equal(read.isCut, false)
  assert.equal(read.header.payloads, 'mask')
  const [first] = read.events
  assert.equal(first?.event, 'connect')
  assert.match(first.client, /^alice#producer-\d+$/)
  assert.equal(first.broker, cluster.bootstrapServers)
  assert.deepEqual(
    new Set(read.events.map(({ event }) => event)),
    new Set(['connect', 'open', 'request', 'response', 'closed']),
  )
  const times = read.events.map(({ ms }) => ms)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  const names = new ClusterNames()
  for (const each of messages) names.learn(each)
  const lines = messages.map(each => messageWords(each, names).join(' '))
  for (const expected of [
    /^ApiVersions v\d+ ottla /,
    /^Produce v\d+ acks=-1 recorded.*\[0\] 20 records/,
    /^Produce v\d+ recorded.*\[0\] offset 0$/,
    /^JoinGroup v\d+ group group.* new member/,
    /^Fetch v\d+ session \d+ recorded.*\[0\] 20 records 0\.\.19, high watermark 20$/,
    /^LeaveGroup v\d+ ok$/,
  ])
    assert.ok(
      lines.some(line => expected.test(line)),
      `${String(expected)} in\n${lines.join('\n')}`,
    )
})

test('names that are resolved and connections that are refused are recorded', async () => {
  const recording = newRecording()
  const servers = 'localhost:1'
  const admin = closing(new AdminClient({ 'bootstrap.servers': servers }, { record: recording, logger: () => {} }))
  await new Promise<void>(resolve => admin.on('error', () => resolve()))
  await admin.close()
  const { events } = ended(recording).recording
  const is = (kind: RecordingEvent['event']): RecordingEvent[] => events.filter(({ event }) => event === kind)
  assert.equal((is('lookup')[0] as { host?: string }).host, 'localhost')
  assert.match((is('refused')[0] as { why?: string }).why ?? '', /cannot connect to localhost:1/)
})

const password = 'the-password-of-alice'

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`a password is not in the file (${mechanism})`, async () => {
    await using secured = await EmbeddedCluster.start({ sasl: { mechanisms: [mechanism], users: { alice: password } } })
    const recording = newRecording()
    await produceAndConsume(recording, secured.bootstrapServers, 'gzip', {
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': mechanism,
      'sasl.username': 'alice',
      'sasl.password': password,
    })
    const all = ended(recording)
    assertAbsent(all, password, content, 'n=alice', '\0alice')
    assert.ok(all.messages.some(({ api }) => api.name === 'SaslAuthenticate'))
  })
}

test('with TLS, what is inside is recorded, without the password', async () => {
  const authority = Authority.make('Recorded')
  const { key, cert } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  await using secured = await EmbeddedCluster.start({
    tls: { key, cert, ca: authority.cert },
    sasl: { mechanisms: ['PLAIN'], users: { alice: password } },
  })
  const recording = newRecording()
  await produceAndConsume(recording, secured.bootstrapServers, 'zstd', {
    'security.protocol': 'sasl_ssl',
    'ssl.ca.location': authority.certFile,
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'alice',
    'sasl.password': password,
  })
  const all = ended(recording)
  assertAbsent(all, password, content)
  assert.ok(all.messages.some(({ api }) => api.name === 'Produce'))
})

test('a token is not in the file (OAUTHBEARER)', async () => {
  await using secured = await EmbeddedCluster.start({ sasl: { mechanisms: ['OAUTHBEARER'] } })
  const token = unsecured('alice', 3600)
  const recording = newRecording()
  const admin = closing(
    new AdminClient(
      {
        'bootstrap.servers': secured.bootstrapServers,
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': 'OAUTHBEARER',
      },
      { record: recording, oauthBearerToken: () => token },
    ),
  )
  await admin.getMetadata()
  await admin.close()
  assertAbsent(ended(recording), token.tokenValue, token.tokenValue.slice(0, 20))
})

test('delegation tokens and new passwords are not in the file', async () => {
  await using secured = await EmbeddedCluster.start({
    sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256'], users: { admin: password } },
    superUsers: ['admin'],
  })
  const recording = newRecording()
  const admin = closing(
    new AdminClient(
      {
        'bootstrap.servers': secured.bootstrapServers,
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': 'PLAIN',
        'sasl.username': 'admin',
        'sasl.password': password,
      },
      { record: recording },
    ),
  )
  const token = await admin.createDelegationToken()
  await admin.describeDelegationToken()
  await admin.renewDelegationToken(token.hmac)
  await admin.alterUserScramCredentials([
    { user: 'bob', mechanism: 'SCRAM-SHA-256', iterations: 4096, password: 'new-password' },
  ])
  await admin.close()
  const all = ended(recording)
  assertAbsent(all, password, 'new-password', token.hmac.toString())
  const hmac = Buffer.from(token.hmac)
  for (const event of all.recording.events) {
    if ('frame' in event) assert.equal(event.frame?.includes(hmac), false)
  }
  const calls = new Set(all.messages.map(({ api }) => api.name))
  for (const name of [
    'CreateDelegationToken',
    'DescribeDelegationToken',
    'RenewDelegationToken',
    'AlterUserScramCredentials',
  ])
    assert.ok(calls.has(name), name)
})

test('what a share consumer gets is masked', async () => {
  const topic = fresh('shared')
  const recording = newRecording()
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  const group = fresh('share')
  const admin = closing(new AdminClient(config))
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
  await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  const producer = closing(new Producer(config))
  await producer.send({ topic, ...message })
  const consumer = closing(new ShareConsumer({ ...config, 'group.id': group }, { record: recording }))
  consumer.subscribe([topic])
  for await (const got of consumer) {
    assert.equal(got.value?.toString(), message.value)
    break
  }
  await consumer.close()
  const all = ended(recording)
  assertAbsent(all, content)
  assert.ok(all.messages.some(({ api, kind }) => api.name === 'ShareFetch' && kind === 'response'))
})

test('only the owner may read the file', () => {
  const recording = newRecording()
  recording.close()
  assert.equal(statSync(recording.file).mode & 0o777, 0o600)
})

test('a file that cannot be written, and an option that is no recording, are refused with the reason', () => {
  assert.throws(() => wireRecording(join(folder, 'no', 'such')), /cannot record to .*no such file or directory/)
  assert.throws(
    () => wireRecording(join(folder, 'a'), { payloads: 'none' as never }),
    /must be 'mask' or 'keep', not 'none'/,
  )
  assert.throws(
    () => new Producer({ 'bootstrap.servers': 'localhost:1' }, { record: 'bug.jsonl' as never }),
    /the option record takes a recording: record: wireRecording\('bug.jsonl'\)/,
  )
})

test('after close, clients go on unrecorded', async () => {
  await codecByName('zstd').ready()
  const recording = newRecording()
  const admin = closing(new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { record: recording }))
  await admin.getMetadata()
  const { messages } = ended(recording)
  assert.ok(messages.length > 0)
  await admin.getMetadata()
  assert.equal(ended(recording).messages.length, messages.length)
  await admin.close()
})
