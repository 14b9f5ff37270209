import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { Brokers } from '../../src/base/brokers.ts'
import { Coordinators } from '../../src/topics/coordinators.ts'
import { OFFSETS_TOPIC } from '../../src/topics/internal-topics.ts'
import { TopicStore } from '../../src/topics/topics.ts'

function scene(): { brokers: Brokers; topics: TopicStore; coordinators: Coordinators } {
  const info = (id: number) => ({ id, endpoints: [], rack: null, up: true })
  const brokers = new Brokers([info(1), info(2)])
  const topics = new TopicStore(
    () => [1, 2],
    1,
    id => brokers.isUp(id),
  )
  return { brokers, topics, coordinators: new Coordinators(topics, brokers) }
}

test('a group belongs to the partition that Java’s hash of its id gives', () => {
  const { coordinators } = scene()
  // "group".hashCode() is 98629247, "billing".hashCode() -109829509.
  assert.equal(coordinators.offsetsPartition('group').partition, 98_629_247 % 8)
  assert.equal(coordinators.offsetsPartition('billing').partition, 109_829_509 % 8)
  assert.equal(coordinators.offsetsPartition('').partition, 0)
})

test('the coordinator is the leader of that partition, and moves with it', () => {
  const { coordinators, topics } = scene()
  const { partition } = coordinators.offsetsPartition('g')
  const found = topics.partition(OFFSETS_TOPIC, partition)
  assert.ok(found !== undefined)
  found.leader = 2
  assert.equal(coordinators.check(2, 'g'), ErrorCode.ERR_NO_ERROR)
  assert.equal(coordinators.check(1, 'g'), ErrorCode.ERR_NOT_COORDINATOR)
  found.leader = -1
  assert.equal(coordinators.of('group', 'g'), undefined)
  assert.equal(coordinators.check(2, 'g'), ErrorCode.ERR_NOT_COORDINATOR)
})

test('a chosen coordinator serves while it is up, for its type only', () => {
  const { brokers, coordinators } = scene()
  const usual = coordinators.of('group', 'g')?.id ?? -1
  const chosen = usual === 1 ? 2 : 1
  coordinators.set('group', 'g', chosen)
  assert.equal(coordinators.of('group', 'g')?.id, chosen)
  const transactional = coordinators.of('transaction', 'g')?.id
  coordinators.set('transaction', 'g', chosen)
  assert.ok(transactional !== undefined)
  const broker = brokers.get(chosen)
  assert.ok(broker !== undefined)
  broker.up = false
  assert.equal(coordinators.of('group', 'g')?.id, usual)
})
