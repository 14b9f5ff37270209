/** Programs that compute for longer than a time-out: what has arrived meanwhile counts. */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, OFFSET_BEGINNING, Producer, type ClientConfig } from 'ottla'
import { Authority } from '../harness/certificates.ts'

const TIMEOUT_MS = 400
const timeouts = { 'socket.timeout.ms': TIMEOUT_MS, 'request.timeout.ms': TIMEOUT_MS }

/** How many turns of a broker's event loop are enough to answer what it was sent before them. */
const ENOUGH_TURNS = 10

/**
 * The event loop stands still; not even sockets are read. Meanwhile a broker in another process answers, however little
 * processor time it gets.
 */
function block(ms: number, world: World): void {
  const until = performance.now() + ms
  const turns = world.turns() + ENOUGH_TURNS
  while (performance.now() < until || world.turns() < turns);
}

interface World {
  readonly config: ClientConfig
  /** Of the event loop of a broker in another process; without end where there is none. */
  turns(): number
  values(): Promise<string[]>
  close(): Promise<void>
}

async function elsewhere(options: object, config: Partial<ClientConfig>): Promise<World> {
  const file = fileURLToPath(new URL('blocked-loop.broker.ts', import.meta.url))
  const execArgv = ['--conditions=@ottla/source', '--import', 'tsx']
  const folder = mkdtempSync(join(tmpdir(), 'ottla-blocked-'))
  const turns = join(folder, 'turns')
  writeFileSync(turns, '')
  const child: ChildProcess = fork(file, [JSON.stringify(options), turns], { execArgv })
  const answer = async (): Promise<unknown> => ((await once(child, 'message')) as unknown[])[0]
  const servers = String(await answer())
  return {
    config: { 'bootstrap.servers': servers, ...config },
    turns: () => statSync(turns).size,
    values: async () => {
      const values = answer()
      child.send('values')
      return (await values) as string[]
    },
    close: async () => {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
      rmSync(folder, { recursive: true })
    },
  }
}

async function here(): Promise<World> {
  const cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 2, replicationFactor: 1 })
  return {
    config: { 'bootstrap.servers': cluster.bootstrapServers },
    turns: () => Infinity,
    values: () => Promise.resolve(cluster.messages('t').map(({ value }) => String(value))),
    close: () => cluster.close(),
  }
}

function overTls(): Promise<World> {
  const authority = Authority.make('Blocked')
  const { cert, key } = authority.issue({ subject: '/CN=localhost', names: 'IP:127.0.0.1' })
  const config: Partial<ClientConfig> = { 'security.protocol': 'ssl', 'ssl.ca.pem': authority.cert }
  return elsewhere({ tls: { cert, key } }, config)
}

const worlds: Readonly<Record<string, () => Promise<World>>> = {
  'in another process': () => elsewhere({}, {}),
  'over TLS': overTls,
  'in the same process': here,
}

for (const [where, start] of Object.entries(worlds)) {
  const lost: string[] = []
  const listen = <C extends Producer | Consumer | AdminClient>(client: C): C => {
    const emitter = client as { on(type: 'error', listener: (event: { error: Error }) => void): unknown }
    emitter.on('error', ({ error }) => lost.push(error.message))
    return client
  }
  const quiet = { logger: (): void => undefined }

  test(`A broker ${where}`, async t => {
    const world = await start()
    t.after(() => world.close())

    for (const blockedMs of [TIMEOUT_MS + 5, TIMEOUT_MS * 3]) {
      await t.test(
        `A message is written once when the program computes for ${blockedMs} ms after sending it`,
        async () => {
          const producer = listen(new Producer({ ...world.config, ...timeouts }, quiet))
          try {
            const before = await world.values()
            await producer.send({ topic: 't', value: 'first', partition: 0 })
            const atOnce = producer.send({ topic: 't', value: 'at once', partition: 0 })
            block(blockedMs, world)
            await atOnce
            const inMicrotask = producer.send({ topic: 't', value: 'in a microtask', partition: 0 })
            await Promise.resolve().then(() => block(blockedMs, world))
            await inMicrotask
            const afterTurn = producer.send({ topic: 't', value: 'after a turn', partition: 0 })
            await turn()
            block(blockedMs, world)
            assert.equal((await afterTurn).status, 'persisted')
            const large = producer.send({ topic: 't', value: 'x'.repeat(900_000), partition: 1 })
            await turn()
            block(blockedMs, world)
            assert.equal((await large).status, 'persisted')
            const written = await world.values()
            assert.equal(written.length, before.length + 5)
            assert.deepEqual(lost, [])
          } finally {
            await producer.close()
          }
        },
      )
    }

    await t.test('A message in flight that runs out of time meanwhile is known to be written', async () => {
      const producer = listen(
        new Producer({ ...world.config, 'message.timeout.ms': TIMEOUT_MS * 3, 'linger.ms': 0 }, quiet),
      )
      try {
        await producer.send({ topic: 't', value: 'x' })
        const sent = producer.send({ topic: 't', value: 'y' })
        await turn()
        await turn()
        block(TIMEOUT_MS * 4, world)
        assert.equal((await sent).status, 'persisted')
        assert.deepEqual(lost, [])
      } finally {
        await producer.close()
      }
    })

    await t.test('A transaction whose commit is answered meanwhile is committed', async () => {
      const producer = listen(new Producer({ ...world.config, ...timeouts, 'transactional.id': 'blocked' }, quiet))
      try {
        await producer.initTransactions()
        producer.beginTransaction()
        void producer.send({ topic: 't', value: 'x' })
        await turn()
        block(TIMEOUT_MS * 2, world)
        const commit = producer.commitTransaction(TIMEOUT_MS)
        await turn()
        block(TIMEOUT_MS * 2, world)
        await commit
        assert.deepEqual(lost, [])
      } finally {
        await producer.close()
      }
    })

    await t.test('An answer to an administrator that has arrived in time is not late', async () => {
      const admin = listen(new AdminClient(world.config, quiet))
      try {
        await admin.describeCluster()
        const call = admin.describeTopics(['t'], { requestTimeoutMs: TIMEOUT_MS })
        await turn()
        block(TIMEOUT_MS * 2, world)
        const [topic] = await call
        assert.equal(topic?.error, undefined)
        const fresh = listen(new AdminClient(world.config, quiet))
        const first = fresh.describeCluster({ requestTimeoutMs: TIMEOUT_MS })
        await turn()
        block(TIMEOUT_MS * 2, world)
        assert.equal((await first).nodes.length, 1)
        await fresh.close()
        assert.deepEqual(lost, [])
      } finally {
        await admin.close()
      }
    })

    await t.test('A flush sees what has arrived before its time is over, and a fetch goes on', async () => {
      const producer = listen(new Producer(world.config, quiet))
      const consumer = listen(new Consumer({ ...world.config, ...timeouts, 'group.id': 'blocked' }, quiet))
      try {
        producer.produce({ topic: 't', value: 'x', partition: 0 })
        const flushed = producer.flush(TIMEOUT_MS)
        await turn()
        block(TIMEOUT_MS * 2, world)
        assert.equal(await flushed, 0)
        await consumer.assign([{ topic: 't', partition: 0, offset: OFFSET_BEGINNING }])
        assert.ok(await consumer.readMessage(10_000))
        block(TIMEOUT_MS * 2, world)
        assert.ok(await consumer.readMessage(10_000))
        assert.deepEqual(lost, [])
      } finally {
        await Promise.all([producer.close(), consumer.close()])
      }
    })
  })
}
