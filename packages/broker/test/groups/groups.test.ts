import { test } from 'node:test'
import assert from 'node:assert/strict'
import { offsetKey } from '../../src/groups/group.ts'
import { Groups } from '../../src/groups/groups.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { FakeClock } from '../fake-clock.ts'

const WEEK_MS = 604_800_000
const at = { offset: 1, leaderEpoch: -1, metadata: null }

function scene(): { groups: Groups; topics: TopicStore; clock: FakeClock; stored: string[] } {
  const stored: string[] = []
  const clock = new FakeClock()
  const topics = new TopicStore(
    () => [1],
    1,
    () => true,
  )
  const groups = new Groups({
    clock,
    topics,
    classic: { initialRebalanceDelayMs: 0, maxSize: Infinity },
    sessionLimits: { minMs: 1, maxMs: 1000 },
    brokerSettings: new Map(),
    persistence: {
      offsetChanged: (group, key, offset) => {
        stored.push(`${group} ${key.replace('\0', '/')} ${offset === null ? 'gone' : 'set'}`)
      },
    },
  })
  return { groups, topics, clock, stored }
}

test('a deleted topic takes its committed offsets along, and those of no other', () => {
  const { groups, topics, stored } = scene()
  const topic = topics.create({ name: 't', partitions: 1, replicationFactor: 1 })
  const { offsets } = groups.getOrCreate('g')
  offsets.set(offsetKey('t', 0), at).set(offsetKey('t2', 0), at)
  groups.forgetTopic(topic)
  assert.deepEqual([...offsets.keys()], [offsetKey('t2', 0)])
  assert.deepEqual(stored, ['g t/0 set', 'g t2/0 set', 'g t/0 gone'])
})

test('a deleted group is gone from the store with its offsets', () => {
  const { groups, stored } = scene()
  const group = groups.getOrCreate('g')
  group.offsets.set(offsetKey('t', 0), at)
  groups.delete(group)
  assert.equal(groups.has('g'), false)
  assert.equal(stored.at(-1), 'g t/0 gone')
})

test('a group without members and offsets is forgotten, one with offsets in use is not', () => {
  const { groups, clock } = scene()
  groups.getOrCreate('empty')
  groups.getOrCreate('old').offsets.set(offsetKey('t', 0), at)
  clock.advance(1)
  groups.getOrCreate('young').offsets.set(offsetKey('t', 0), at)
  clock.advance(WEEK_MS - 1)
  groups.expire()
  assert.deepEqual(
    [...groups.all()].map(({ id }) => id),
    ['young'],
  )
})
