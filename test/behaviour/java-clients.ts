/** The same bytes and the same choices as Java's client and librdkafka, both ways. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  OFFSET_BEGINNING,
  Producer,
  type Header,
  type Message,
  type ProducerMessage,
} from 'ottla'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'
import { fresh } from './world.ts'

const allCodecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const quiet = { logger: (): void => undefined }

/** A record as the Java program reads and writes it: bytes are base64. */
interface JavaRecord {
  partition: number
  offset: number
  timestamp: number
  timestampType: string
  key: string | null
  value: string | null
  headers: { key: string; value: string | null }[]
}

const bytes = (text: string): Buffer => Buffer.from(text)
const long = bytes('compressible '.repeat(5000))

/** What tends to get lost on the way: nulls, emptiness, bytes that are no text, headers of one name. */
const records: { key: Buffer | null; value: Buffer | null; headers: Header[]; timestamp: number }[] = [
  { key: bytes('both'), value: bytes('there'), headers: [], timestamp: 1_600_000_000_000 },
  { key: null, value: bytes('no key'), headers: [], timestamp: 1_600_000_000_001 },
  { key: bytes('tombstone'), value: null, headers: [], timestamp: 1_600_000_000_002 },
  { key: null, value: null, headers: [], timestamp: 1_600_000_000_003 },
  { key: bytes(''), value: bytes(''), headers: [], timestamp: 1 },
  {
    key: Buffer.from([0, 255, 128]),
    value: Buffer.from([255, 254, 0, 10, 13]),
    headers: [],
    timestamp: 1_234_567_890_123,
  },
  {
    key: bytes('headers'),
    value: bytes('six'),
    headers: [
      { key: 'a', value: bytes('1') },
      { key: 'b', value: null },
      { key: 'a', value: bytes('2') },
      { key: 'empty', value: bytes('') },
      { key: '', value: bytes('no name') },
      { key: 'žába', value: Buffer.from([0, 159, 146, 150]) },
    ],
    timestamp: 1_600_000_000_004,
  },
  { key: bytes('long'), value: long, headers: [], timestamp: 1_600_000_000_005 },
]

/** @param release `single`: the newest one, `old`: 3.9.1 */
export function javaClientScenarios(
  release: 'single' | 'old',
  codecs: readonly (typeof allCodecs)[number][] = allCodecs,
): void {
  let kafka: SharedKafka
  let admin: AdminClient

  before(async () => {
    kafka = await sharedKafka(release)
    admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers })
  })

  after(async () => {
    await admin.close()
    await kafka.close()
  })

  async function topic(name: string, numPartitions = 1, config: Record<string, string> = {}): Promise<string> {
    const topic = fresh(name)
    await createTopic(kafka.bootstrapServers, topic, { numPartitions, replicationFactor: 1, config })
    return topic
  }

  async function java(args: string[], input: readonly object[] = []): Promise<JavaRecord[]> {
    const stdin = input.map(line => `${JSON.stringify(line)}\n`).join('')
    const { stdout, stderr, code } = await kafka.javaTool('Interop', args, stdin)
    assert.equal(code, 0, stderr)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as JavaRecord)
  }

  async function produce(
    config: object,
    messages: ProducerMessage[],
  ): Promise<{ partition: number; offset: number }[]> {
    const producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers, 'linger.ms': 20, ...config }, quiet)
    const reports = await producer.sendBatch(messages)
    await producer.close()
    for (const report of reports) assert.equal(report.error, undefined)
    return reports
  }

  async function consume(from: string, count: number, partitions = 1, config: object = {}): Promise<Message[]> {
    const consumer = new Consumer({ 'bootstrap.servers': kafka.bootstrapServers, ...config }, quiet)
    const all = Array.from({ length: partitions }, (_, partition) => ({
      topic: from,
      partition,
      offset: OFFSET_BEGINNING,
    }))
    await consumer.assign(all)
    const messages: Message[] = []
    while (messages.length < count) messages.push(await consumer.readMessage(30_000))
    await consumer.close()
    return messages
  }

  /** The codec's name in each batch of a topic's first partition, as Kafka's own tool reads it from the disk. */
  async function codecsOnDisk(name: string): Promise<string[]> {
    const folder = readdirSync(join(kafka.dataFolder, 'data1')).find(entry => entry === `${name}-0`)
    assert.ok(folder !== undefined)
    const segment = join(kafka.dataFolder, 'data1', folder, '00000000000000000000.log')
    const { stdout, stderr, code } = await kafka.javaTool(dumpTool[release], ['--files', segment])
    assert.equal(code, 0, stderr)
    return [...stdout.matchAll(/compresscodec: (\w+)/gi)].map(match => (match[1] ?? '').toLowerCase())
  }

  for (const codec of codecs) {
    test(`what is produced with ${codec} is read by Java: keys, values, headers, timestamps`, async () => {
      const name = await topic(`to-java-${codec}`)
      const reports = await produce(
        { 'compression.codec': codec },
        records.map(record => ({ topic: name, ...record })),
      )
      assert.deepEqual(
        reports.map(report => report.offset),
        records.map((_, offset) => offset),
      )
      const read = await java(['consume', kafka.bootstrapServers, name, String(records.length)])
      assert.deepEqual(
        read.map(({ key, value, headers, timestamp, timestampType }) => ({
          key,
          value,
          headers,
          timestamp,
          timestampType,
        })),
        records.map(record => ({ ...inBase64(record), timestampType: 'CreateTime' })),
      )
      const onDisk = await codecsOnDisk(name)
      assert.ok(onDisk.length > 0)
      assert.deepEqual(new Set(onDisk), new Set([codec]))
    })

    test(`what Java produces with ${codec} is read: keys, values, headers, timestamps`, async () => {
      const name = await topic(`from-java-${codec}`)
      await java(['produce', kafka.bootstrapServers, name, `compression.type=${codec}`], records.map(inBase64))
      const read = await consume(name, records.length)
      assert.deepEqual(
        read.map(({ key, value, headers, timestamp }) => ({ key, value, headers: [...headers], timestamp })),
        records,
      )
      assert.deepEqual(
        read.map(message => message.offset),
        records.map((_, offset) => offset),
      )
      assert.ok(read.every(message => message.timestampType === 'create-time'))
    })

    test(`many small messages with ${codec} go both ways in order`, async () => {
      const name = await topic(`many-${codec}`)
      const texts = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
      await produce(
        { 'compression.codec': codec },
        texts.map(value => ({ topic: name, value })),
      )
      await java(
        ['produce', kafka.bootstrapServers, name, `compression.type=${codec}`],
        texts.map(value => ({ key: null, value: bytes(value).toString('base64') })),
      )
      const both = [...texts, ...texts]
      assert.deepEqual(
        (await consume(name, both.length)).map(message => String(message.value)),
        both,
      )
      const byJava = await java(['consume', kafka.bootstrapServers, name, String(both.length)])
      assert.deepEqual(
        byJava.map(({ value }) => Buffer.from(value ?? '', 'base64').toString()),
        both,
      )
    })
  }

  test('transactions of every codec, committed and aborted, are read by Java as by us, and those of Java', async () => {
    const name = await topic('transactions')
    const expected: string[] = []
    for (const codec of codecs) {
      const config = { 'compression.codec': codec, 'transactional.id': fresh('interop'), 'linger.ms': 20 }
      await using producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers, ...config }, quiet)
      await producer.initTransactions()
      for (const end of ['abort', 'commit', 'abort'] as const) {
        const values = Array.from({ length: 20 }, (_, i) => `${codec} ${end} ${i}`)
        producer.beginTransaction()
        await producer.sendBatch(values.map(value => ({ topic: name, value })))
        if (end === 'commit') await producer.commitTransaction()
        else await producer.abortTransaction()
        if (end === 'commit') expected.push(...values)
      }
    }
    const ends = ['commit 1', 'abort 2', 'commit 3']
    const input = ends.flatMap(end => Array.from({ length: 20 }, (_, i) => ({ end, value: `java ${end} ${i}` })))
    await java(
      ['transact', kafka.bootstrapServers, name, `transactional.id=${fresh('java')}`, 'compression.type=lz4'],
      input.map(({ end, value }) => ({ transaction: end, key: null, value: bytes(value).toString('base64') })),
    )
    expected.push(...input.filter(({ end }) => end.startsWith('commit')).map(({ value }) => value))
    const count = String(expected.length)
    const byJava = await java(['consume', kafka.bootstrapServers, name, count, 'isolation.level=read_committed'])
    assert.deepEqual(
      byJava.map(({ value }) => Buffer.from(value ?? '', 'base64').toString()),
      expected,
    )
    const byUs = await consume(name, expected.length)
    assert.deepEqual(
      byUs.map(({ value }) => String(value)),
      expected,
    )
    assert.deepEqual(
      byUs.map(({ offset }) => offset),
      byJava.map(({ offset }) => offset),
    )
  })

  test('a topic that stamps messages on arrival does so for both', async () => {
    const name = await topic('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const started = Date.now()
    await produce({}, [{ topic: name, value: 'ours', timestamp: 5 }])
    await java(['produce', kafka.bootstrapServers, name], [{ key: null, value: 'amF2YQ==', timestamp: 6 }])
    const read = await consume(name, 2)
    assert.deepEqual(
      read.map(message => message.timestampType),
      ['log-append-time', 'log-append-time'],
    )
    // The broker's clock is this machine's, read a moment apart.
    assert.ok(read.every(message => message.timestamp >= started - 1000))
    const byJava = await java(['consume', kafka.bootstrapServers, name, '2'])
    assert.deepEqual(
      byJava.map(record => record.timestamp),
      read.map(message => message.timestamp),
    )
    assert.deepEqual(
      byJava.map(record => record.timestampType),
      ['LogAppendTime', 'LogAppendTime'],
    )
  })

  test('the console consumer prints what we produce', async () => {
    const name = await topic('to-console')
    await produce({}, [
      { topic: name, key: 'k1', value: 'v1', headers: { h: 'x', n: null }, timestamp: 1_700_000_000_000 },
      { topic: name, key: null, value: 'v2', timestamp: 1_700_000_000_001 },
      { topic: name, key: 'k3', value: null, timestamp: 1_700_000_000_002 },
    ])
    const printed = ['print.key', 'print.headers', 'print.timestamp'].flatMap(what => ['--property', `${what}=true`])
    const range = ['--topic', name, '--from-beginning', '--max-messages', '3', '--timeout-ms', '30000']
    const server = ['--bootstrap-server', kafka.bootstrapServers]
    const { stdout, stderr, code } = await kafka.javaTool(consoleConsumer, [...server, ...range, ...printed])
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .filter(line => line.startsWith('CreateTime')),
      [
        'CreateTime:1700000000000\th:x,n:null\tk1\tv1',
        'CreateTime:1700000000001\tNO_HEADERS\tnull\tv2',
        'CreateTime:1700000000002\tNO_HEADERS\tk3\tnull',
      ],
    )
  })

  test('what is typed into the console producer is read', async () => {
    const name = await topic('from-console')
    const reader = ['parse.key=true', 'key.separator=:', 'parse.headers=true', 'null.marker=NULL']
    const args = [
      '--bootstrap-server',
      kafka.bootstrapServers,
      '--topic',
      name,
      ...reader.flatMap(one => ['--property', one]),
    ]
    const typed = 'h:1,h:2\tk1:v1\nNULL\tNULL:v2\nNULL\tk3:NULL\n'
    const { stderr, code } = await kafka.javaTool(consoleProducer[release], args, typed)
    assert.equal(code, 0, stderr)
    const read = await consume(name, 3)
    assert.deepEqual(
      read.map(({ key, value, headers }) => [key, value, [...headers]]),
      [
        [
          bytes('k1'),
          bytes('v1'),
          [
            { key: 'h', value: bytes('1') },
            { key: 'h', value: bytes('2') },
          ],
        ],
        [null, bytes('v2'), []],
        [bytes('k3'), null, []],
      ],
    )
  })

  test('a group goes on in Java where we left it, and here where Java left it', async () => {
    const name = await topic('handover')
    const group = fresh('handover')
    await produce(
      {},
      Array.from({ length: 30 }, (_, i) => ({ topic: name, value: String(i) })),
    )
    const ours = async (count: number): Promise<string[]> => {
      const config = {
        'bootstrap.servers': kafka.bootstrapServers,
        'group.id': group,
        'auto.offset.reset': 'earliest',
      }
      const consumer = new Consumer(
        { ...config, 'auto.offset.reset': 'earliest', 'partition.assignment.strategy': 'range' },
        quiet,
      )
      consumer.subscribe(name)
      const values: string[] = []
      while (values.length < count) values.push(String((await consumer.readMessage(30_000)).value))
      await consumer.close()
      return values
    }
    const javas = async (count: number): Promise<string[]> => {
      const server = ['--bootstrap-server', kafka.bootstrapServers, '--group', group]
      const range = ['--topic', name, '--max-messages', String(count), '--timeout-ms', '30000']
      const { stdout, stderr, code } = await kafka.javaTool(consoleConsumer, [...server, ...range])
      assert.equal(code, 0, stderr)
      return stdout.trimEnd().split('\n')
    }
    const numbers = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => String(from + i))
    assert.deepEqual(await ours(10), numbers(0, 10))
    assert.deepEqual(await javas(10), numbers(10, 20))
    assert.deepEqual(await ours(10), numbers(20, 30))
  })

  test('the same keys go to the same partitions as with the Java producer', async () => {
    const [ours, theirs] = [await topic('murmur2-ours', 12), await topic('murmur2-java', 12)]
    const keys = golden.keys.map(key => Buffer.from(key, 'base64'))
    const reports = await produce(
      { partitioner: 'murmur2_random' },
      keys.map(key => ({ topic: ours, key, value: 'v' })),
    )
    const input = golden.keys.map(key => ({ key, value: 'dg==' }))
    const placed = await java(['produce', kafka.bootstrapServers, theirs], input)
    assert.deepEqual(
      reports.map(report => report.partition),
      placed.map(report => report.partition),
    )
    assert.deepEqual(
      placed.map(report => report.partition),
      golden.partitions.murmur2['12'],
    )
  })

  for (const count of ['3', '12', '100'] as const) {
    test(`the same keys go to the same of ${count} partitions as with librdkafka's partitioners`, async () => {
      const name = await topic('librdkafka', Number(count))
      const keys = golden.keys.map(key => Buffer.from(key, 'base64'))
      const messages = keys.map(key => ({ topic: name, key, value: 'v' }))
      for (const partitioner of ['consistent', 'murmur2', 'fnv1a'] as const) {
        const expected = golden.partitions[partitioner][count]
        const plain = await produce({ partitioner }, messages)
        assert.deepEqual(
          plain.map(report => report.partition),
          expected,
          partitioner,
        )
        // With an empty key consistent_random is random.
        const random = await produce(
          { partitioner: `${partitioner}_random` },
          messages.filter(({ key }) => key.length > 0),
        )
        const keyed = expected.filter((_, i) => keys[i]?.length !== 0)
        assert.deepEqual(
          random.map(report => report.partition),
          keyed,
          `${partitioner}_random`,
        )
      }
    })
  }
}

const consoleConsumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const consoleProducer = { single: 'org.apache.kafka.tools.ConsoleProducer', old: 'kafka.tools.ConsoleProducer' }
const dumpTool = { single: 'org.apache.kafka.tools.DumpLogSegments', old: 'kafka.tools.DumpLogSegments' }

/** Partitions really chosen by librdkafka; the file says how they were taken. */
const golden = JSON.parse(readFileSync(new URL('../golden/librdkafka-partitions.json', import.meta.url), 'utf8')) as {
  keys: string[]
  partitions: Record<'consistent' | 'murmur2' | 'fnv1a', Record<'3' | '12' | '100', number[]>>
}

function inBase64({ key, value, headers, timestamp }: (typeof records)[number]): object {
  const text = (data: Buffer | null): string | null => data?.toString('base64') ?? null
  return {
    key: text(key),
    value: text(value),
    headers: headers.map(header => ({ key: header.key, value: text(header.value) })),
    timestamp,
  }
}
