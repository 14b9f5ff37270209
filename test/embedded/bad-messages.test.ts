/** Messages that cannot be deserialized, and readers that are left: what was read goes on from memory, and is not fetched again. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer, type ConsumerConfig } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'
import { until } from '../behaviour/reading-ways.ts'

const WAIT_MS = 20_000
const COUNT = 50
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

type Text = Consumer<Buffer, string>
const isBad = (offset: number): boolean => offset % 5 === 4

interface FetchBody {
  readonly topics: readonly { readonly partitions: readonly { readonly fetchOffset: unknown }[] }[]
}

/** It has fetched all there is, in several batches; from then on no fetch is answered. */
async function fetched(
  t: TestContext,
  bad: (offset: number) => boolean,
  config: Partial<ConsumerConfig> = {},
): Promise<Text> {
  const topic = `bad-${++names}`
  cluster.createTopic(topic, { partitions: 1 })
  for (let from = 0; from < COUNT; from += 10) {
    const values = Array.from({ length: 10 }, (_, i) => ({ topic, value: String(from + i) }))
    for (const { error } of await world.producer.sendBatch(values)) assert.equal(error, undefined)
  }
  const reader = new Consumer<Buffer, string>(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': topic,
      'client.id': topic,
      'auto.offset.reset': 'earliest',
      ...config,
    },
    {
      logger: quiet,
      value: bytes => {
        const text = String(bytes)
        if (bad(Number(text))) throw new Error('bad')
        return text
      },
    },
  )
  t.after(() => reader.close())
  let isAtEnd = false
  const stop = cluster.control(({ apiName, clientId, body }) => {
    if (apiName !== 'Fetch' || clientId !== topic) return undefined
    const asked = (body as FetchBody).topics.flatMap(({ partitions }) => partitions)
    if (asked.some(({ fetchOffset }) => Number(fetchOffset) === COUNT)) isAtEnd = true
    return isAtEnd ? null : undefined
  })
  t.after(stop)
  await reader.assign([{ topic, partition: 0, offset: 0 }])
  await until('everything has been fetched', () => isAtEnd)
  return reader
}

const all = Array.from({ length: COUNT }, (_, offset) => offset)
const good = all.filter(offset => !isBad(offset)).map(String)

/** Reads until all has been told of, one way or the other; a reader that has ended begins again. */
const ways = {
  poll: async (reader: Text, seen: Seen) => {
    const event = await reader.poll(WAIT_MS)
    if (event?.type === 'message') seen.got(event.message.value)
    if (event?.type === 'error') throw event.error
  },
  'for await': async (reader: Text, seen: Seen) => {
    for await (const { value } of reader) if (seen.got(value)) return
  },
  'batches()': async (reader: Text, seen: Seen) => {
    for await (const batch of reader.batches({ maxMessages: 17 })) {
      for (const { value } of batch) if (seen.got(value)) return
    }
  },
  'partitions()': async (reader: Text, seen: Seen) => {
    const streams = reader.partitions()
    for await (const stream of streams) {
      try {
        for await (const { value } of stream) if (seen.got(value)) return
      } catch (error) {
        if (seen.failed(error)) return
      }
    }
  },
}

class Seen {
  readonly values: string[] = []
  bad = 0

  /** @returns that is all */
  got(value: string | null): boolean {
    this.values.push(String(value))
    return this.isAll
  }

  failed(error: unknown): boolean {
    assert.match(String(error), /cannot be deserialized/)
    this.bad++
    return this.isAll
  }

  get isAll(): boolean {
    return this.values.length + this.bad === COUNT
  }
}

for (const [name, read] of Object.entries(ways)) {
  test(`${name}: what follows a message that cannot be deserialized is not fetched again`, async t => {
    const reader = await fetched(t, isBad)
    const seen = new Seen()
    while (!seen.isAll) await read(reader, seen).catch((error: unknown) => seen.failed(error))
    assert.deepEqual(seen.values, good)
    assert.equal(seen.bad, COUNT - good.length)
  })
}

test('readers that are left hand on to each other what they have not handed out', async t => {
  const reader = await fetched(t, () => false)
  const values: string[] = []
  const add = (value: string | null): number => values.push(String(value))
  for await (const stream of reader.partitions()) {
    for await (const { value } of stream) {
      // The last one is not done, and comes again.
      if (value === '12') break
      add(value)
    }
    break
  }
  const over = new AbortController()
  await reader.run({
    signal: over.signal,
    handler: ({ value }) => {
      if (value === '25') over.abort()
      add(value)
    },
  })
  for await (const { value } of reader) if (add(value) === 30) break
  while (values.length < COUNT) add((await reader.readMessage(WAIT_MS)).value)
  assert.deepEqual(values, all.map(String))
  assert.equal((await reader.commit())[0]?.offset, COUNT)
})

test('a batch whose transaction is aborted is read again without being fetched', async t => {
  const reader = await fetched(t, () => false, { 'enable.auto.commit': false })
  const transactional = new Producer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': 'bad-tx' },
    { logger: quiet },
  )
  t.after(() => transactional.close())
  const seen: string[] = []
  const over = new AbortController()
  const aborted = transactional.transactional(reader, async () => Promise.reject(new Error('no')))
  await assert.rejects(aborted, /no/)
  await transactional.transactional(
    reader,
    async batch => {
      for (const { value } of batch) seen.push(String(value))
      over.abort()
      await Promise.resolve()
    },
    { signal: over.signal },
  )
  assert.deepEqual(seen, all.map(String))
})
