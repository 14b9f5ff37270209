import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { OffsetResolver } from '../../../src/consumer/offsets/offset-reset.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const BACKOFF_MS = 100

/** Partition 0 of a group whose coordinator answers one after the other, the last one again and again. */
function scene(policy: string, answers: (number | KafkaError)[] = [], groupId: string | null = 'g') {
  const clock = new FakeClock()
  const cursor = new Cursor('t', 0)
  cursor.moveTo(OFFSET_STORED)
  const seen: string[] = []
  let requests = 0
  const request = (): Promise<object> => {
    requests++
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof KafkaError) return Promise.reject(answer)
    const partition = { partitionIndex: 0, committedLeaderEpoch: 4, metadata: 'm', errorCode: 0 }
    const topics = [{ name: 't', partitions: [{ ...partition, committedOffset: answer ?? -1 }] }]
    return Promise.resolve({ groups: [{ errorCode: 0, topics }] })
  }
  // The leader is silent: what it is asked for is looked at below.
  const metadata = { snapshot: { topics: new Map([['t', { partitions: [{ leader: 1 }] }]]) } }
  const cluster = { request, metadata, broker: () => ({ request: () => new Promise(() => undefined) }) }
  const settings = {
    'group.id': groupId ?? undefined,
    'auto.offset.reset': policy,
    'isolation.level': 'read_committed',
    'socket.timeout.ms': 60_000,
    'retry.backoff.ms': BACKOFF_MS,
    'retry.backoff.max.ms': BACKOFF_MS,
  }
  const logger = { debug: () => undefined, error: (_: string, text: string) => seen.push(text) }
  const context = { clock, settings, logger, random: () => 0.5 } as unknown as ClientContext
  const resolver = new OffsetResolver(context, cluster as unknown as Cluster, {
    cursors: [cursor],
    onResolved: () => undefined,
    membership: () => null,
    onRefused: code => seen.push(`refused ${code}`),
    raise: ({ message }) => seen.push(message),
  })
  return { clock, cursor, resolver, seen, requests: () => requests }
}

test('reading begins at the committed offset', async () => {
  const { clock, cursor, resolver } = scene('earliest', [7])
  resolver.kick()
  await clock.advance(0)
  assert.deepEqual([cursor.state, cursor.position, cursor.fetchEpoch, cursor.offsets.committed], ['active', 7, 4, 7])
})

test('without a committed offset auto.offset.reset says where to begin', async () => {
  for (const [policy, target] of [
    ['earliest', OFFSET_BEGINNING],
    ['latest', OFFSET_END],
  ] as const) {
    const { cursor, clock, resolver } = scene(policy, [-1])
    resolver.kick()
    await clock.advance(0)
    assert.deepEqual([cursor.state, cursor.target], ['offset-query', target])
  }
  const { cursor, clock, resolver, seen } = scene('error', [-1])
  resolver.kick()
  await clock.advance(0)
  assert.deepEqual([cursor.state, seen], ['stopped', ['t [0]: no offset is committed (auto.offset.reset=error)']])
})

test('without a group there is no committed offset', async () => {
  const { cursor, clock, resolver, requests } = scene('earliest', [7], null)
  resolver.kick()
  await clock.advance(0)
  assert.deepEqual([cursor.target, requests()], [OFFSET_BEGINNING, 0])
})

test('an error is never taken for "nothing committed": it is retried, and reported if it does not pass', async () => {
  const forbidden = KafkaError.of(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, 'g')
  const { clock, cursor, resolver, seen, requests } = scene('earliest', [forbidden, forbidden, 7])
  resolver.kick()
  await clock.advance(0)
  assert.deepEqual([cursor.state, cursor.trouble, seen], ['stored-query', forbidden, [forbidden.message]])
  await clock.advance(BACKOFF_MS * 4)
  assert.deepEqual([requests(), cursor.position, seen.length], [3, 7, 1], 'it is reported once')
})

test('an answer to an earlier question changes nothing', async () => {
  const { clock, cursor, resolver } = scene('earliest', [7])
  resolver.kick()
  cursor.moveTo(42)
  await clock.advance(0)
  assert.equal(cursor.position, 42)
})

test('the offsets of a topic that was recreated are those of another one', () => {
  const { cursor, resolver } = scene('latest')
  cursor.moveTo(42)
  const forgotten: string[] = []
  resolver.restartTopic('other', ({ name }) => forgotten.push(name))
  assert.deepEqual([cursor.state, forgotten], ['active', []])
  resolver.restartTopic('t', ({ name }) => forgotten.push(name))
  assert.deepEqual([cursor.state, cursor.target, forgotten], ['offset-query', OFFSET_END, ['t [0]']])
})

test('by age, the first message that is young enough is looked for before the end', () => {
  const { clock, cursor, resolver } = scene('by_duration:PT1H')
  cursor.moveTo(42)
  resolver.reset(cursor, 'out of range')
  assert.deepEqual([cursor.target, cursor.targetTime], [OFFSET_END, clock.wallTime() - 3_600_000])
})
