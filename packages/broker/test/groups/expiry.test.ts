import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Writer, writeConsumerProtocolSubscription } from '@ottla/protocol'
import { Group, offsetKey } from '../../src/groups/group.ts'
import { GroupConfigs } from '../../src/groups/configs.ts'
import type { JoinOutput } from '../../src/groups/classic-member.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { FakeClock } from '../fake-clock.ts'

const WEEK_MS = 7 * 86_400_000
const SESSION_MS = 1_000_000_000

function scene(): { group: Group; clock: FakeClock; commit: (topic: string) => void } {
  const clock = new FakeClock()
  const topics = new TopicStore(
    () => [1],
    4,
    () => true,
  )
  const classic = { initialRebalanceDelayMs: 0, maxSize: Infinity }
  const group = new Group('g', { clock, topics, configs: new GroupConfigs(), maxSize: Infinity, classic })
  const commit = (topic: string): void => {
    group.offsets.set(offsetKey(topic, 0), { offset: 1, leaderEpoch: -1, metadata: '' })
  }
  return { group, clock, commit }
}

/** A member that reads the topic `t`. */
function join(group: Group): JoinOutput {
  const writer = new Writer()
  writer.int16(0)
  writeConsumerProtocolSubscription(writer, { topics: ['t'], userData: null }, 0)
  const answers: JoinOutput[] = []
  group.classic?.join(
    {
      memberId: '',
      groupInstanceId: null,
      clientId: 'c',
      host: '/127.0.0.1',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.concat(writer.finish()) }],
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 1000,
      requiresMemberId: false,
      canSkipAssignment: true,
    },
    output => answers.push(output),
  )
  const [member] = answers
  assert.ok(member !== undefined)
  const { memberId, generationId } = member
  const input = {
    memberId,
    generationId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [],
  }
  group.classic?.sync(input, () => undefined)
  return member
}

test('offsets of a group without members expire a week after their commit, and the group with the last one', () => {
  const { group, clock, commit } = scene()
  commit('t')
  clock.advance(WEEK_MS / 2)
  commit('u')
  clock.advance(WEEK_MS / 2)
  assert.equal(group.expire(), false)
  assert.deepEqual([...group.offsets.keys()], [offsetKey('u', 0)])
  clock.advance(WEEK_MS / 2)
  assert.equal(group.expire(), true)
})

test('offsets of consumers expire a week after the last one has left', () => {
  const { group, clock, commit } = scene()
  const { memberId } = join(group)
  commit('t')
  clock.advance(WEEK_MS)
  group.expire()
  assert.equal(group.offsets.size, 1)
  group.classic?.leave([{ memberId, groupInstanceId: null }])
  clock.advance(WEEK_MS - 1)
  assert.equal(group.expire(), false)
  clock.advance(1)
  assert.equal(group.expire(), true)
})

test('offsets of topics that consumers no longer read expire a week after their last commit', () => {
  const { group, clock, commit } = scene()
  join(group)
  commit('t')
  commit('old')
  clock.advance(WEEK_MS)
  assert.equal(group.expire(), false)
  assert.deepEqual([...group.offsets.keys()], [offsetKey('t', 0)])
})
