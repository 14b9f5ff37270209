/** Codecs of the application's own (`codecs`): every way of writing and reading uses them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { AdminClient, Consumer, ErrorCode, Producer, ShareConsumer, type ProducerConfig, type RecordCodec } from 'ottla'
import { closing } from '../harness/closing.ts'
import { createTopic } from '../harness/topics.ts'
import { quiet, readersOf, until, ways } from './reading-ways.ts'
import { fresh } from './world.ts'

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]

/** In gzip's place: what it writes has to be gzip, since brokers look into it. */
interface Watched extends RecordCodec {
  compressed: number
  decompressed: number
}

function watched(change: Partial<RecordCodec> = {}): Watched {
  const codec: Watched = {
    name: 'gzip',
    compressed: 0,
    decompressed: 0,
    compress: async records => {
      codec.compressed++
      return zip(records)
    },
    decompress: async records => {
      codec.decompressed++
      return unzip(records)
    },
    ...change,
  }
  return codec
}

const COUNT = 500

/** @param start a cluster with share groups */
export function recordCodecScenarios(start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>): void {
  const readers = readersOf(start)
  const values = (count: number): string[] => Array.from({ length: count }, (_, i) => `value ${i} `.repeat(20))

  async function topic(): Promise<string> {
    const name = fresh('codecs')
    await createTopic(readers.servers['bootstrap.servers'], name, { numPartitions: 1, replicationFactor: 1 })
    return name
  }

  async function written(codec: RecordCodec, config: Partial<ProducerConfig> = {}): Promise<string> {
    const name = await topic()
    const settings = { ...readers.servers, 'compression.codec': 'gzip', 'linger.ms': 5, ...config } as const
    const producer = closing(new Producer(settings, { codecs: [codec], logger: quiet }))
    const transactional = config['transactional.id'] !== undefined
    if (transactional) {
      await producer.initTransactions()
      producer.beginTransaction()
    }
    const reports = await producer.sendBatch(values(COUNT).map(value => ({ topic: name, value })))
    for (const { error } of reports) assert.equal(error, undefined)
    if (transactional) await producer.commitTransaction()
    return name
  }

  async function read(name: string, way: keyof typeof ways, codecs: RecordCodec[] | undefined): Promise<string[]> {
    const config = {
      ...readers.servers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'check.crcs': true,
    } as const
    const consumer = closing(new Consumer(config, { logger: quiet, ...(codecs === undefined ? {} : { codecs }) }))
    consumer.subscribe(name)
    const seen: string[] = []
    const reading = ways[way](consumer, ({ value }) => void seen.push(String(value)))
    await until('all have come', () => seen.length >= COUNT)
    await consumer.close()
    await reading
    return seen
  }

  for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
    test(`records are compressed and decompressed by it: ${way}`, async () => {
      const codec = watched()
      const name = await written(codec)
      assert.ok(codec.compressed > 0)
      assert.deepEqual(await read(name, way, [codec]), values(COUNT))
      assert.ok(codec.decompressed > 0)
    })
  }

  test('in transactions, too', async () => {
    const codec = watched()
    const name = await written(codec, { 'transactional.id': fresh('id') })
    assert.deepEqual(await read(name, 'for await', [codec]), values(COUNT))
  })

  test('share consumers use it', async () => {
    const [codec, group] = [watched(), fresh('share')]
    const name = await written(codec)
    const admin = closing(new AdminClient(readers.servers, { logger: quiet }))
    const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] as const
    await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    const consumer = closing(
      new ShareConsumer({ ...readers.servers, 'group.id': group }, { codecs: [codec], logger: quiet }),
    )
    consumer.subscribe(name)
    const seen = new Set<string>()
    for await (const { value } of consumer) {
      seen.add(String(value))
      if (seen.size === COUNT) break
    }
    assert.deepEqual([...seen].sort(), values(COUNT).sort())
    assert.ok(codec.decompressed > 0)
  })

  test('what it cannot compress, or makes no smaller, is sent uncompressed', async () => {
    const failing = watched({ compress: () => Promise.reject(new Error('no dictionary')) })
    assert.deepEqual(await read(await written(failing), 'for await', undefined), values(COUNT))
    const growing = watched({ compress: records => Buffer.concat([records, records]) })
    assert.deepEqual(await read(await written(growing), 'for await', undefined), values(COUNT))
    const wrong = watched({ compress: () => 'text' as never })
    assert.deepEqual(await read(await written(wrong), 'for await', undefined), values(COUNT))
  })

  test('a batch that it cannot decompress is reported, and read when it can', async () => {
    const name = await written(watched())
    let failures = 2
    const decompress = (records: Buffer): Promise<Buffer> =>
      failures-- > 0 ? Promise.reject(new Error('no dictionary')) : unzip(records)
    const config = {
      ...readers.servers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'fetch.error.backoff.ms': 10,
    } as const
    const consumer = closing(new Consumer(config, { logger: quiet, codecs: [watched({ decompress })] }))
    const errors: string[] = []
    consumer.on('error', ({ error }) => {
      assert.equal(error.code, ErrorCode.ERR__BAD_MSG)
      errors.push(error.message)
    })
    consumer.subscribe(name)
    const seen: string[] = []
    for await (const { value } of consumer) {
      seen.push(String(value))
      if (seen.length === COUNT) break
    }
    assert.deepEqual(seen, values(COUNT))
    assert.match(errors[0] ?? '', /cannot be read.*no dictionary/)
  })

  test('what is no codec is refused', () => {
    const make = (codecs: unknown) => (): void =>
      void closing(new Producer(readers.servers, { codecs: codecs as RecordCodec[], logger: quiet }))
    assert.throws(make('zstd'), { code: ErrorCode.ERR__INVALID_ARG, message: /takes a list/ })
    assert.throws(make([{ ...watched(), name: 'none' }]), { message: /one of gzip, snappy, lz4, zstd, not 'none'/ })
    assert.throws(make([{ name: 'lz4', compress: quiet }]), { message: /'lz4' must have the functions/ })
  })
}
