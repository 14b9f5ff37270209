/** Kafka Connect 4.3 and MirrorMaker 2, exactly once: the same results on Kafka 4.3.1 and on embedded clusters. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient, Consumer, Producer } from 'ottla'
import { ConnectWorker, mirrorMaker } from '../foreign/connect.ts'
import { closing } from '../harness/closing.ts'
import { quiet } from './reading-ways.ts'
import { fresh } from './world.ts'

const PATIENCE_MS = 60_000
const LINES = 500

export interface ConnectWorld {
  readonly bootstrapServers: string
  close(): Promise<void>
}

interface Status {
  readonly tasks: readonly { readonly state: string; readonly worker_id: string }[]
}

export function kafkaConnectScenarios(start: () => Promise<ConnectWorld>): void {
  let world: ConnectWorld
  let folder: string

  before(async () => {
    world = await start()
    folder = mkdtempSync(join(tmpdir(), 'ottla-connect-'))
  })

  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('two workers, a source that is exactly once, a worker that dies, and a sink', async () => {
    const [from, to] = [join(folder, 'source.txt'), join(folder, 'sink.txt')]
    writeFileSync(from, '')
    // In one partition there is one order.
    const admin = closing(new AdminClient({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet }))
    await admin.createTopics([{ topic: 'lines', numPartitions: 1, replicationFactor: 1 }])
    await admin.close()
    const one = await ConnectWorker.start(world.bootstrapServers, folder, 'one', {})
    const two = await ConnectWorker.start(world.bootstrapServers, folder, 'two', {})
    const workers = [one, two]
    for (const worker of workers) closing(worker)
    await one.ask('GET', '/')
    await one.ask('POST', '/connectors', {
      name: 'source',
      config: { 'connector.class': 'FileStreamSource', 'tasks.max': '1', topic: 'lines', file: from },
    })
    await one.ask('POST', '/connectors', {
      name: 'sink',
      config: { 'connector.class': 'FileStreamSink', 'tasks.max': '1', topics: 'lines', file: to },
    })
    append(from, 0)
    assert.deepEqual(await read(world.bootstrapServers, 'lines', LINES), numbered(0, LINES))
    const status = (await one.ask('GET', '/connectors/source/status')) as Status // as Connect answers
    assert.equal(status.tasks[0]?.state, 'RUNNING')
    // The worker that runs the source dies while it works; its listener is its id.
    append(from, LINES)
    const all = (await two.ask('GET', '/connectors?expand=status')) as Record<string, { status: Status }> // as above
    const busy = all['source']?.status.tasks[0]?.worker_id
    const dying = one.id === busy ? one : two
    await dying.kill9()
    append(from, 2 * LINES)
    assert.deepEqual(await read(world.bootstrapServers, 'lines', 3 * LINES), numbered(0, 3 * LINES))
    await until(() => existsSync(to) && new Set(linesOf(to)).size === 3 * LINES, 'the sink has written every line')
    await (dying === one ? two : one).close()
  })

  test('MirrorMaker 2 copies messages and committed offsets to another cluster', async () => {
    const target = closing(await start())
    const admin = closing(new AdminClient({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet }))
    await admin.createTopics([{ topic: 'orders', numPartitions: 1, replicationFactor: 1 }])
    await produce(world.bootstrapServers, 'orders', numbered(0, LINES))
    const half = [{ topic: 'orders', partition: 0, offset: LINES / 2 }]
    await admin.alterConsumerGroupOffsets('bob', half)
    const flow = 'here->there'
    const mirror = closing({ close: () => child.end('SIGTERM') })
    const child = await mirrorMaker(folder, {
      clusters: 'here, there',
      'here.bootstrap.servers': world.bootstrapServers,
      'there.bootstrap.servers': target.bootstrapServers,
      'there.exactly.once.source.support': 'enabled',
      [`${flow}.enabled`]: 'true',
      'there->here.enabled': 'false',
      [`${flow}.topics`]: 'orders',
      [`${flow}.groups`]: 'bob',
      [`${flow}.sync.group.offsets.enabled`]: 'true',
      [`${flow}.emit.heartbeats.enabled`]: 'false',
      [`${flow}.emit.checkpoints.interval.seconds`]: 1,
      [`${flow}.sync.group.offsets.interval.seconds`]: 1,
      [`${flow}.refresh.topics.interval.seconds`]: 1,
      [`${flow}.offset.lag.max`]: 0,
      'replication.factor': 1,
      'checkpoints.topic.replication.factor': 1,
      'offset-syncs.topic.replication.factor': 1,
      'offset.storage.replication.factor': 1,
      'status.storage.replication.factor': 1,
      'config.storage.replication.factor': 1,
      'offset.flush.interval.ms': 500,
    })
    assert.deepEqual(await read(target.bootstrapServers, 'here.orders', LINES), numbered(0, LINES))
    await produce(world.bootstrapServers, 'orders', numbered(LINES, 2 * LINES))
    assert.deepEqual(await read(target.bootstrapServers, 'here.orders', 2 * LINES), numbered(0, 2 * LINES))
    await admin.alterConsumerGroupOffsets('bob', [{ topic: 'orders', partition: 0, offset: 2 * LINES }])
    const there = closing(new AdminClient({ 'bootstrap.servers': target.bootstrapServers }, { logger: quiet }))
    let committed = -1
    await until(async () => {
      const found = await there.listConsumerGroupOffsets('bob')
      committed = found.find(({ topic }) => topic === 'here.orders')?.offset ?? -1
      return committed >= 2 * LINES
    }, 'the offset has been copied')
    // The transactions' markers have offsets, too.
    assert.ok(committed >= 2 * LINES && committed <= 2 * LINES + 10, String(committed))
    await mirror.close()
  })
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
}

function append(file: string, from: number): void {
  appendFileSync(
    file,
    numbered(from, from + LINES)
      .map(line => `${line}\n`)
      .join(''),
  )
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n')
}

/** Committed messages, in their order, once there are so many; nothing may follow. */
async function read(bootstrapServers: string, topic: string, count: number): Promise<string[]> {
  const config = {
    'bootstrap.servers': bootstrapServers,
    'group.id': fresh('reader'),
    'auto.offset.reset': 'earliest',
    'isolation.level': 'read_committed',
    'topic.metadata.refresh.interval.ms': 500,
  } as const
  const consumer = closing(new Consumer(config, { logger: quiet }))
  consumer.subscribe(topic)
  const values: string[] = []
  const deadline = Date.now() + PATIENCE_MS
  while (values.length < count) {
    const event = await consumer.poll(500)
    if (event?.type === 'message') values.push(String(event.message.value))
    assert.ok(Date.now() < deadline, `${topic}: ${values.length} of ${count} messages; ${consumer.explain().join(' ')}`)
  }
  const more = await consumer.poll(1000)
  assert.notEqual(more?.type, 'message', 'nothing comes twice')
  await consumer.close()
  return values
}

async function produce(bootstrapServers: string, topic: string, values: readonly string[]): Promise<void> {
  const producer = closing(new Producer({ 'bootstrap.servers': bootstrapServers }, { logger: quiet }))
  await Promise.all(values.map(value => producer.send({ topic, value })))
  await producer.close()
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, what)
    await sleep(100)
  }
}
