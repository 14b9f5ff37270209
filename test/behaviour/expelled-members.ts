/** Processes that sleep past their session, while the group continues or is deleted: they read on when they wake up. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { AdminClient, Producer, type ConsumerConfig } from 'ottla'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 60_000
const quiet = (): void => undefined

interface Line {
  readonly what: 'read' | 'error' | 'rebalance' | 'assigned'
  readonly value: unknown
}

class Sleeper implements AsyncDisposable {
  readonly lines: Line[] = []
  readonly #child: ChildProcess
  readonly #gone: Promise<void>

  constructor(settings: Partial<ConsumerConfig>, topic: string, isShare: boolean) {
    const script = new URL('./sleeping-member.ts', import.meta.url)
    const flags = ['--conditions=@ottla/source', '--import', 'tsx']
    const order = JSON.stringify({ settings, topic, isShare })
    this.#child = spawn(process.execPath, [...flags, script.pathname, order], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#gone = new Promise(resolve => this.#child.once('exit', () => resolve()))
    assert.ok(this.#child.stdout !== null)
    createInterface(this.#child.stdout).on('line', line => void this.lines.push(JSON.parse(line) as Line))
  }

  heard(what: Line['what']): unknown[] {
    return this.lines.filter(line => line.what === what).map(({ value }) => value)
  }

  sleep(): void {
    this.#child.kill('SIGSTOP')
  }

  wake(): void {
    this.#child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wake()
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#gone
    clearTimeout(timer)
  }
}

async function until(what: string, sleeper: Sleeper, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!(await done())) {
    assert.ok(performance.now() < deadline, `never: ${what}; ${JSON.stringify(sleeper.lines.slice(-5))}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const kinds: readonly { readonly name: string; readonly isShare: boolean; readonly config: Partial<ConsumerConfig> }[] =
  [
    { name: 'range', isShare: false, config: { 'session.timeout.ms': 1000, 'heartbeat.interval.ms': 200 } },
    {
      name: 'cooperative-sticky',
      isShare: false,
      config: {
        'session.timeout.ms': 1000,
        'heartbeat.interval.ms': 200,
        'partition.assignment.strategy': 'cooperative-sticky',
      },
    },
    {
      name: 'range, static',
      isShare: false,
      config: { 'session.timeout.ms': 1000, 'heartbeat.interval.ms': 200, 'group.instance.id': 'i' },
    },
    { name: 'consumer', isShare: false, config: { 'group.protocol': 'consumer' } },
    { name: 'consumer, static', isShare: false, config: { 'group.protocol': 'consumer', 'group.instance.id': 'i' } },
    { name: 'share', isShare: true, config: {} },
  ]

/** @param start a cluster that allows sessions of a second */
export function expelledMemberScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let cluster: Awaited<ReturnType<typeof start>>
  let admin: AdminClient
  let producer: Producer

  before(async () => {
    cluster = await start()
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    admin = new AdminClient(servers, { logger: quiet })
    producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
  })

  after(async () => {
    await producer.close()
    await admin.close()
    await cluster.close()
  })

  for (const { name, isShare, config } of kinds) {
    for (const isDeleted of [false, true]) {
      const meanwhile = isDeleted ? 'whose group is deleted meanwhile' : 'past its session'
      test(`${name}: a process that sleeps ${meanwhile} reads on when it wakes up`, async () => {
        const [topic, group] = [fresh('sleeper'), fresh('sleeper')]
        await createTopic(cluster.bootstrapServers, topic, { numPartitions: 2, replicationFactor: 1 })
        const entries = (['consumer', 'share'] as const).flatMap(kind =>
          (
            [
              ['session.timeout.ms', '1000'],
              ['heartbeat.interval.ms', '200'],
            ] as const
          ).map(([key, value]) => ({ name: `${kind}.${key}`, value, operation: 'set' }) as const),
        )
        const earliest = { name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' } as const
        await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries: [...entries, earliest] }])
        const settings: ConsumerConfig = {
          'bootstrap.servers': cluster.bootstrapServers,
          'group.id': group,
          ...(isShare ? {} : { 'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 100 }),
          ...config,
        }
        await using sleeper = new Sleeper(settings, topic, isShare)
        const write = async (...values: string[]): Promise<void> => {
          for (const value of values) await producer.send({ topic, partition: 0, value })
        }
        await until('it is assigned', sleeper, () => sleeper.heard('assigned').length > 0)
        await write('1', '2')
        await until('it reads', sleeper, () => sleeper.heard('read').includes('2'))
        sleeper.sleep()
        await until('it is expelled', sleeper, async () => {
          if (isShare) return (await admin.describeShareGroups([group]))[0]?.members.length === 0
          return (await admin.describeConsumerGroups([group]))[0]?.members.length === 0
        })
        if (isDeleted) {
          const deleted = isShare ? await admin.deleteShareGroups([group]) : await admin.deleteConsumerGroups([group])
          assert.equal(deleted[0]?.error, undefined)
        }
        await write('3')
        sleeper.wake()
        await until('it reads on', sleeper, () => sleeper.heard('read').includes('3'))
        await write('4')
        await until('and on', sleeper, () => sleeper.heard('read').includes('4'))
        if (isShare) return
        // It may read before a heartbeat tells it.
        await until('it is assigned anew', sleeper, () => sleeper.heard('rebalance').length >= 3)
        assert.deepEqual(sleeper.heard('rebalance').slice(0, 3), ['assign', 'lost', 'assign'])
      })
    }
  }
}
