/** In which AsyncLocalStorage context a program's functions run. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer, type DeliveryReport } from 'ottla'

const quiet = (): void => undefined

async function withProducer(work: (producer: Producer, cluster: EmbeddedCluster) => Promise<void>): Promise<void> {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  await work(producer, cluster)
}

test('a report is called in the context of its produce, the first storage of the process included', () =>
  withProducer(async producer => {
    const seen: unknown[] = []
    const storage = new AsyncLocalStorage<number>()
    const report = ({ opaque }: DeliveryReport): void => void seen.push([opaque, storage.getStore()])
    // One callback and one turn for all of them, before and after there is a context.
    producer.produce({ topic: 't', value: 'x', opaque: 0 }, report)
    for (const n of [1, 2]) {
      storage.run(n, () => {
        producer.produce({ topic: 't', value: 'x', opaque: n }, report)
      })
    }
    producer.produce({ topic: 't', value: 'x', opaque: 3 }, report)
    await storage.run(4, async () => {
      await new Promise(resolve => setImmediate(resolve))
      producer.produce({ topic: 't', value: 'x', opaque: 4 }, report)
    })
    await producer.flush()
    assert.deepEqual(seen, [
      [0, undefined],
      [1, 1],
      [2, 2],
      [3, undefined],
      [4, 4],
    ])
  }))

test("a report of a message that was produced outside of all contexts has none, not its producer's", async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  const storage = new AsyncLocalStorage<string>()
  const settings = { 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0 }
  await using producer = storage.run('constructor', () => new Producer(settings, { logger: quiet }))
  const seen: unknown[] = []
  const report = (): void => void seen.push(storage.getStore())
  storage.run('first', () => producer.produce({ topic: 't', value: 'x' }, report))
  await producer.flush()
  producer.produce({ topic: 't', value: 'x' }, report)
  await producer.flush()
  assert.deepEqual(seen, ['first', undefined])
})

test('each of several storages is right in every turn, and in its first one', () =>
  withProducer(async producer => {
    const storages = [1, 2, 3].map(() => new AsyncLocalStorage<number>())
    const seen: unknown[] = []
    const expected: unknown[] = []
    const report = ({ opaque }: DeliveryReport): void =>
      void seen.push([opaque, ...storages.map(each => each.getStore())])
    for (const [index, storage] of storages.entries()) {
      for (const n of [1, 1, 2]) {
        await new Promise(resolve => setImmediate(resolve))
        storage.run(n, () => producer.produce({ topic: 't', value: 'x', opaque: `${index} ${n}` }, report))
        producer.produce({ topic: 't', value: 'x', opaque: 'outside' }, report)
        const stored = storages.map((_, each) => (each === index ? n : undefined))
        expected.push([`${index} ${n}`, ...stored], ['outside', undefined, undefined, undefined])
      }
    }
    await producer.flush()
    assert.deepEqual(seen, expected)
  }))

test('failed and purged messages are reported in their context, too, and so is what is awaited', () =>
  withProducer(async (producer, cluster) => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    cluster.failPartition('t', 0, 0, [29])
    storage.run('failed', () => {
      producer.produce({ topic: 't', value: 'x' }, ({ error }) => seen.push([error?.name, storage.getStore()]))
    })
    await producer.flush()
    storage.run('purged', () => {
      producer.produce({ topic: 't', value: 'x' }, ({ error }) => seen.push([error?.name, storage.getStore()]))
    })
    producer.purge()
    await storage.run('sent', async () => {
      await producer.send({ topic: 't', value: 'x' })
      seen.push(storage.getStore())
    })
    await storage.run('batch', async () => {
      await producer.sendBatch([{ topic: 't', value: 'x' }])
      seen.push(storage.getStore())
    })
    assert.deepEqual(seen, [
      ['ERR_TOPIC_AUTHORIZATION_FAILED', 'failed'],
      ['ERR__PURGE_QUEUE', 'purged'],
      'sent',
      'batch',
    ])
  }))

test("listeners and interceptors of a producer run in the context that they were given in, not in some message's", async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  const storage = new AsyncLocalStorage<string>()
  const seen = new Map<string, Set<string | undefined>>()
  const note = (what: string): void => {
    seen.set(what, (seen.get(what) ?? new Set()).add(storage.getStore()))
  }
  const interceptors = [
    { onSend: (): undefined => (note('onSend'), undefined), onAcknowledgement: (): void => note('onAcknowledgement') },
  ]
  await using producer = storage.run(
    'constructor',
    () => new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet, interceptors }),
  )
  const listener = (): void => note('delivery')
  storage.run('on', () => producer.on('delivery', listener))
  // A second time is not another listener.
  storage.run('again', () => producer.on('delivery', listener))
  producer.on('error', () => note('error'))
  storage.run('first', () => producer.produce({ topic: 't', value: 'x' }))
  storage.run('second', () => producer.produce({ topic: 't', value: 'x' }))
  await producer.flush()
  cluster.failPartition('t', 0, 0, [29])
  await storage.run('third', () => producer.send({ topic: 't', value: 'x' }).catch(quiet))
  producer.off('delivery', listener)
  await storage.run('fourth', () => producer.send({ topic: 't', value: 'x' }))
  assert.deepEqual(Object.fromEntries(seen), {
    onSend: new Set(['first', 'second', 'third', 'fourth']),
    onAcknowledgement: new Set(['constructor']),
    delivery: new Set(['on']),
  })
})

for (const protocol of ['classic', 'consumer'] as const) {
  test(`functions of a consumer run in the context that they were given in (${protocol})`, async () => {
    await using cluster = await EmbeddedCluster.start()
    cluster.createTopic('t', { partitions: 2, replicationFactor: 1 })
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    await using producer = new Producer(servers, { logger: quiet })
    const storage = new AsyncLocalStorage<string>()
    const seen = new Map<string, Set<string | undefined>>()
    const note = (what: string): void => {
      seen.set(what, (seen.get(what) ?? new Set()).add(storage.getStore()))
    }
    await using consumer = storage.run(
      'constructor',
      () =>
        new Consumer(
          { ...servers, 'group.id': 'g', 'group.protocol': protocol, 'auto.offset.reset': 'earliest' },
          {
            logger: quiet,
            interceptors: [
              { onConsume: (): undefined => (note('onConsume'), undefined), onCommit: () => note('onCommit') },
            ],
          },
        ),
    )
    storage.run('on', () => {
      consumer.on('rebalance', () => note('on rebalance'))
      consumer.on('offsets-committed', () => note('on offsets-committed'))
    })
    storage.run('subscribe', () => consumer.subscribe('t', () => note('rebalance callback')))
    for (const partition of [0, 1]) await producer.send({ topic: 't', partition, value: 'x' })
    let handled = 0
    const stop = new AbortController()
    await storage.run('run', () =>
      consumer.run({
        signal: stop.signal,
        handler: async () => {
          note('handler')
          await new Promise(resolve => setImmediate(resolve))
          note('handler')
          if (++handled === 2) await producer.send({ topic: 't', value: 'y' })
          if (handled === 3) stop.abort()
        },
      }),
    )
    await storage.run('unsubscribe', () => consumer.unsubscribe())
    assert.deepEqual(Object.fromEntries(seen), {
      'rebalance callback': new Set(['subscribe']),
      'on rebalance': new Set(['on']),
      onConsume: new Set(['run']),
      handler: new Set(['run']),
      onCommit: new Set(['constructor']),
      'on offsets-committed': new Set(['on']),
    })
  })
}

test('handlers run in the context of their run, whoever has had it look again', async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await using producer = new Producer(servers, { logger: quiet })
  await producer.sendBatch(Array.from({ length: 6 }, () => ({ topic: 't', value: 'x' })))
  await using consumer = new Consumer(
    { ...servers, 'group.id': 'g', 'auto.offset.reset': 'earliest' },
    { logger: quiet },
  )
  consumer.subscribe('t')
  const storage = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const stop = new AbortController()
  let paused = (): void => undefined
  const isPaused = new Promise<void>(resolve => (paused = resolve))
  const running = storage.run('run', () =>
    consumer.run({
      signal: stop.signal,
      handler: ({ offset }) => {
        seen.push(storage.getStore())
        if (offset === 2) {
          consumer.pause([{ topic: 't', partition: 0 }])
          setImmediate(paused)
        }
        if (offset === 5) storage.run('stop', () => stop.abort())
      },
    }),
  )
  await isPaused
  storage.run('resume', () => consumer.resume([{ topic: 't', partition: 0 }]))
  await running
  assert.deepEqual(seen, Array(6).fill('run'))
})
