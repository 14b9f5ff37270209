/** What every foreign client must be able to do with the embedded cluster, as far as it can do it with Kafka. */
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient } from 'ottla'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Order, Peer } from './peer.ts'

/** What a client has of Kafka. */
export interface Abilities {
  readonly name: string
  readonly codecs: readonly string[]
  /** Group protocol and assignor. */
  readonly groups: readonly (readonly [protocol: 'classic' | 'consumer', assignor: string])[]
  readonly hasIdempotence: boolean
  /** Group protocols in which members may be static. */
  readonly staticMembers: readonly ('classic' | 'consumer')[]
  readonly hasShareGroups: boolean
  /** Whether it goes on within seconds when a broker is lost. */
  readonly ridesOutBrokerLoss: boolean
  readonly start: (bootstrapServers: string) => Promise<Peer>
}

const PARTITIONS = 6
const PATIENCE_MS = 15_000

/** The test file of one client: a cluster of three brokers, one process of the client, all scenarios on them. */
export function foreignScenarios(abilities: Abilities): void {
  const { name } = abilities
  let cluster: EmbeddedCluster
  let peer: Peer
  let admin: AdminClient
  let names = 0
  const fresh = (prefix: string): string => `${prefix}-${++names}`
  const ask = (what: string, order: Omit<Order, 'do'> = {}): Promise<unknown> => peer.ask({ do: what, ...order })

  /** A topic of its own. */
  const topicOf = (partitions = PARTITIONS): string => {
    const topic = fresh('topic')
    cluster.createTopic(topic, { partitions, replicationFactor: 3 })
    return topic
  }

  /** Waits until what the client says of itself is so. */
  const until = async (isSo: () => Promise<boolean>, what: () => string): Promise<void> => {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await isSo())) {
      assert.ok(Date.now() < deadline, `${name}: ${what()}`)
      await delay(50)
    }
  }

  /** Waits until the members share all partitions evenly. */
  const shared = async (members: readonly string[]): Promise<void> => {
    let seen: number[][] = []
    const isEven = async (): Promise<boolean> => {
      seen = []
      for (const member of members) seen.push((await ask('assignment', { member })) as number[])
      const all = seen.flat().sort((a, b) => a - b)
      const isWhole = all.length === PARTITIONS && all.every((partition, i) => partition === i)
      return isWhole && seen.every(({ length }) => length === PARTITIONS / members.length)
    }
    await until(isEven, () => `${JSON.stringify(members)} have ${JSON.stringify(seen)}`)
  }

  /** Waits until the members, and nobody but they, got all values at least once. */
  const got = async (members: readonly string[], values: readonly string[]): Promise<void> => {
    const seen = new Set<unknown>()
    const isAll = async (): Promise<boolean> => {
      for (const member of members) {
        for (const value of (await ask('received', { member })) as unknown[]) seen.add(value)
      }
      return values.every(value => seen.has(value))
    }
    await until(isAll, () => `${JSON.stringify(members)} got ${seen.size} of ${values.length}`)
  }

  const produce = (topic: string, values: readonly string[]): Promise<unknown> =>
    ask('produce', { topic, values, codec: 'none', idempotence: false })

  const committed = async (group: string): Promise<number> => {
    const offsets = (await ask('offsets', { group })) as Record<string, number>
    return Object.values(offsets).reduce((sum, offset) => sum + Math.max(0, offset), 0)
  }

  before(async () => {
    cluster = await EmbeddedCluster.start({ brokers: 3, acls: [], superUsers: ['ANONYMOUS'] })
    admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers })
    peer = await abilities.start(cluster.bootstrapServers)
  })
  after(async () => {
    await peer.close()
    await admin.close()
    await cluster.close()
  })

  test(`${name} produces and consumes with every codec`, async () => {
    const values = Array.from({ length: 300 }, (_, i) => `${i}${'-long enough to be worth compressing'.repeat(4)}`)
    const expected = values.map(value => `k${value} ${value} x${value}`).sort()
    for (const codec of abilities.codecs) {
      for (const idempotence of abilities.hasIdempotence ? [false, true] : [false]) {
        const topic = topicOf(3)
        await ask('produce', { topic, values, codec, idempotence })
        const seen = (await ask('consume', { topic, isolation: 'read_uncommitted' })) as string[]
        assert.deepEqual(seen.sort(), expected, `${codec}, idempotence ${idempotence}`)
      }
    }
  })

  for (const [protocol, assignor] of abilities.groups) {
    test(`${name} shares a topic in a group: ${protocol} protocol, ${assignor}`, async () => {
      const [topic, group] = [topicOf(), fresh('group')]
      if (protocol === 'consumer') await quickHeartbeats(admin, group)
      const join = (member: string): Promise<unknown> => ask('join', { member, group, topic, protocol, assignor })
      const values = (word: string): string[] => Array.from({ length: 60 }, (_, i) => `${word} ${i}`)
      await join('a')
      await shared(['a'])
      await join('b')
      await shared(['a', 'b'])
      await produce(topic, values('to both'))
      await got(['a', 'b'], values('to both'))
      await join('c')
      await shared(['a', 'b', 'c'])
      assert.deepEqual(await ask('group', { group }), { state: 'stable', members: 3 })
      await ask('leave', { member: 'a' })
      await shared(['b', 'c'])
      await ask('leave', { member: 'c' })
      await shared(['b'])
      await produce(topic, values('to the last'))
      await got(['b'], values('to the last'))
      await ask('leave', { member: 'b' })
      assert.equal(await committed(group), 120)
      assert.equal(((await ask('group', { group })) as { state: string }).state, 'empty')
    })
  }

  for (const protocol of abilities.staticMembers) {
    test(`${name} comes back as the static member it was: ${protocol} protocol`, async () => {
      const [topic, group] = [topicOf(), fresh('group')]
      const assignor = abilities.groups.find(([its]) => its === protocol)?.[1]
      if (protocol === 'consumer') await quickHeartbeats(admin, group)
      const join = (member: string): Promise<unknown> =>
        ask('join', { member, group, topic, protocol, assignor, instance: member })
      await join('a')
      await shared(['a'])
      await join('b')
      await shared(['a', 'b'])
      const before = await ask('assignment', { member: 'b' })
      const others = await ask('assignment', { member: 'a' })
      await ask('leave', { member: 'b' })
      assert.equal(((await ask('group', { group })) as { members: number }).members, 2)
      await join('b')
      await shared(['a', 'b'])
      assert.deepEqual(await ask('assignment', { member: 'b' }), before)
      assert.deepEqual(await ask('assignment', { member: 'a' }), others)
      await ask('leave', { member: 'a' })
      await ask('leave', { member: 'b' })
    })
  }

  if (abilities.hasShareGroups) {
    test(`${name} takes records of a share group`, async () => {
      const [topic, group] = [topicOf(), fresh('sharers')]
      await configure(admin, group, { 'share.auto.offset.reset': 'earliest', 'share.heartbeat.interval.ms': '100' })
      const values = Array.from({ length: 60 }, (_, i) => `shared ${i}`)
      await produce(topic, values)
      await ask('share', { member: 'a', group, topic })
      await ask('share', { member: 'b', group, topic })
      await got(['a', 'b'], values)
      let deliveries = 0
      for (const member of ['a', 'b']) deliveries += ((await ask('received', { member })) as unknown[]).length
      assert.equal(deliveries, values.length)
      await ask('leave', { member: 'a' })
      await ask('leave', { member: 'b' })
    })
  }

  if (abilities.ridesOutBrokerLoss) {
    test(`${name} loses and repeats nothing when a broker goes down`, async () => {
      const [topic, group] = [topicOf(), fresh('group')]
      const [protocol, assignor] = abilities.groups[0] ?? []
      const values = Array.from({ length: 300 }, (_, i) => `survivor ${i}`)
      await ask('join', { member: 'a', group, topic, protocol, assignor })
      await shared(['a'])
      cluster.setRoundTripTime(-1, 30)
      cluster.requests('start')
      const producing = ask('produce', { topic, values, codec: 'none', idempotence: abilities.hasIdempotence })
      const isProducing = (): Promise<boolean> =>
        Promise.resolve(cluster.requests().some(({ apiName }) => apiName === 'Produce'))
      await until(isProducing, () => 'nothing was produced')
      await cluster.brokerDown(2)
      cluster.setRoundTripTime(-1, 0)
      cluster.requests('stop')
      await producing
      await got(['a'], values)
      await cluster.brokerUp(2)
      const seen = (await ask('consume', { topic, isolation: 'read_committed' })) as string[]
      assert.deepEqual(seen.sort(), values.map(value => `k${value} ${value} x${value}`).sort())
      await ask('leave', { member: 'a' })
      assert.equal(await committed(group), values.length)
    })
  }

  test(`${name} commits and aborts transactions`, async () => {
    const [topic, id] = [topicOf(2), fresh('id')]
    const transactions = [
      [['one', 'two'], true],
      [['three'], false],
      [['four'], true],
    ]
    await ask('transaction', { id, topic, transactions })
    const read = async (isolation: string): Promise<string[]> =>
      ((await ask('consume', { topic, isolation })) as string[]).sort()
    assert.deepEqual(await read('read_committed'), ['kfour four xfour', 'kone one xone', 'ktwo two xtwo'])
    assert.equal((await read('read_uncommitted')).length, 4)
  })

  test(`${name} commits the offsets of what it transforms in the same transaction`, async () => {
    const [from, to, group, id] = [topicOf(1), topicOf(1), fresh('group'), fresh('id')]
    await produce(from, ['a', 'b', 'c', 'd'])
    await ask('transform', { id, group, from, to, count: 2, commits: [false, true, true] })
    const seen = (await ask('consume', { topic: to, isolation: 'read_committed' })) as string[]
    assert.deepEqual(seen.sort(), ['A', 'B', 'C', 'D'])
    assert.equal(await committed(group), 4)
  })

  test(`${name} is told that a newer producer has taken its transactional id`, async () => {
    const [topic, id] = [topicOf(1), fresh('id')]
    assert.match(String(await ask('zombie', { id, topic })), /fenced|invalid_?producer_?epoch/i)
    const seen = await ask('consume', { topic, isolation: 'read_committed' })
    assert.deepEqual(seen, ['kalive alive xalive'])
  })

  test(`${name} administers topics, their settings and records`, async () => {
    const topic = fresh('made')
    await ask('createTopic', { topic, partitions: 2, configs: { 'retention.ms': '3600000' } })
    assert.ok(((await ask('topics')) as string[]).includes(topic))
    await assert.rejects(ask('createTopic', { topic, partitions: 2, configs: {} }), /exists/i)
    await ask('addPartitions', { topic, count: 3 })
    assert.equal(await ask('partitions', { topic }), 3)
    assert.equal(await ask('config', { topic, name: 'retention.ms' }), '3600000')
    await ask('setConfig', { topic, name: 'retention.ms', value: '7200000' })
    assert.equal(await ask('config', { topic, name: 'retention.ms' }), '7200000')
    const single = topicOf(1)
    await produce(single, ['a', 'b', 'c'])
    assert.deepEqual(await ask('listOffsets', { topic: single, partition: 0 }), [0, 3])
    await ask('deleteRecords', { topic: single, partition: 0, offset: 2 })
    assert.deepEqual(await ask('listOffsets', { topic: single, partition: 0 }), [2, 3])
    await ask('deleteTopic', { topic })
    assert.ok(!((await ask('topics')) as string[]).includes(topic))
    assert.deepEqual(await ask('cluster'), [1, 2, 3])
  })

  test(`${name} administers groups and their offsets`, async () => {
    const [topic, group] = [topicOf(1), fresh('group')]
    await produce(topic, ['a', 'b', 'c'])
    await ask('setOffsets', { group, topic, partition: 0, offset: 2 })
    assert.ok(((await ask('groups')) as string[]).includes(group))
    assert.deepEqual(await ask('offsets', { group }), { [`${topic} 0`]: 2 })
    await ask('setOffsets', { group, topic, partition: 0, offset: 1 })
    assert.deepEqual(await ask('offsets', { group }), { [`${topic} 0`]: 1 })
    await ask('deleteGroup', { group })
    assert.ok(!((await ask('groups')) as string[]).includes(group))
  })

  test(`${name} administers ACLs`, async () => {
    const topic = topicOf(1)
    await ask('createAcl', { topic })
    assert.equal(await ask('acls', { topic }), 1)
    assert.equal(await ask('deleteAcls', { topic }), 1)
    assert.equal(await ask('acls', { topic }), 0)
  })
}

/** Members of the consumer protocol learn of a new assignment in a heartbeat; the broker says how often they send one. */
function quickHeartbeats(admin: AdminClient, group: string): Promise<void> {
  return configure(admin, group, { 'consumer.heartbeat.interval.ms': '100' })
}

async function configure(admin: AdminClient, group: string, configs: Record<string, string>): Promise<void> {
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  const [done] = await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  assert.equal(done?.error, undefined)
}
