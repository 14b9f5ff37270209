/** A process that is told to end (SIGTERM) closes its clients in order. */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, closeOnSignal, KafkaError, Producer, type Closable } from 'ottla'

const program = fileURLToPath(new URL('close-on-signal.program.ts', import.meta.url))

/** Starts the program, and waits until its handler has a message. */
async function working(t: TestContext, cluster: EmbeddedCluster, ...args: string[]): Promise<ChildProcess> {
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: () => undefined })
  await producer.sendBatch([1, 2, 3].map(n => ({ topic: 'in', partition: 0, value: String(n) })))
  const child = fork(program, [cluster.bootstrapServers, ...args], {
    execArgv: ['--conditions=@ottla/source', '--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

async function cluster(): Promise<EmbeddedCluster> {
  const made = await EmbeddedCluster.start({ defaultPartitions: 1 })
  for (const topic of ['in', 'out']) made.createTopic(topic, { partitions: 1 })
  return made
}

test('SIGTERM: the handler ends, what it produced is delivered, its offset committed, the process ends by the signal', async t => {
  await using embedded = await cluster()
  const child = await working(t, embedded)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  assert.deepEqual(await exit, [null, 'SIGTERM'])
  await using admin = new AdminClient({ 'bootstrap.servers': embedded.bootstrapServers }, { logger: () => undefined })
  const [lag] = await admin.groupLag(['g'])
  assert.deepEqual(lag?.partitions, [{ topic: 'in', partition: 0, committed: 1, end: 3, lag: 2 }])
  assert.deepEqual(
    embedded.messages('out').map(({ value }) => String(value)),
    ['done 1', 'last words'],
  )
})

test('a second signal ends the process at once', async t => {
  await using embedded = await cluster()
  const child = await working(t, embedded, 'hangs')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await once(child, 'message')
  child.kill('SIGTERM')
  assert.deepEqual(await exit, [null, 'SIGTERM'])
})

test('clients are closed by their kind, with what is left of the time, even if one of them fails', async () => {
  const order: string[] = []
  const client = (name: string, fails = false): Closable => ({
    close: async options => {
      order.push(`${name} ${(options?.timeoutMs ?? -1) <= 1000}`)
      await Promise.resolve()
      if (fails) throw new Error('no')
    },
  })
  // Somebody else listens, too, so that the signal does not end this process.
  const other = (): void => void order.push('other')
  process.on('SIGUSR2', other)
  // A signal alone does not keep a process alive.
  const alive = setInterval(() => undefined, 1000)
  let done = (): void => undefined
  const closed = new Promise<void>(resolve => (done = resolve))
  closeOnSignal([client('a', true), client('b')], {
    signals: ['SIGUSR2'],
    timeoutMs: 1000,
    before: signal => order.push(`before ${signal}`),
    after: () => {
      order.push('after')
      done()
    },
  })
  process.kill(process.pid, 'SIGUSR2')
  await closed
  // While it is asked whether anybody else listens.
  await new Promise(resolve => setImmediate(resolve))
  process.off('SIGUSR2', other)
  clearInterval(alive)
  assert.deepEqual(order, ['other', 'before SIGUSR2', 'a true', 'b true', 'after'])
  assert.equal(process.listenerCount('SIGUSR2'), 0)
})

test('its end: nothing listens any more; what has no close is refused', () => {
  const before = process.listenerCount('SIGTERM')
  const end = closeOnSignal([])
  assert.equal(process.listenerCount('SIGTERM'), before + 1)
  end()
  assert.equal(process.listenerCount('SIGTERM'), before)
  assert.throws(() => closeOnSignal([{} as Closable]), KafkaError)
})
