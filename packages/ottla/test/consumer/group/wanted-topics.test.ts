import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptySnapshot, type Snapshot } from '../../../src/cluster/snapshot.ts'
import { Subscription, type SubscriptionInput } from '../../../src/consumer/group/subscription.ts'
import { WantedTopics } from '../../../src/consumer/group/wanted-topics.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'

const missing = KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'topic a')
const forbidden = KafkaError.of(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'topic a')

function wantedOf(
  topics: Record<string, number>,
  { subscribe, cursors = [] }: { subscribe?: SubscriptionInput; cursors?: Cursor[] },
): WantedTopics {
  const known = Object.entries(topics).map(([topic, errorCode]) => [topic, { topic, errorCode, partitions: [{}] }])
  const snapshot: Snapshot = { ...emptySnapshot, topics: new Map(known as never) }
  const subscription = subscribe === undefined ? null : new Subscription(subscribe)
  return new WantedTopics({ snapshot }, { cursors }, () => subscription)
}

test('the application has named the names of its subscription, else the topics that it assigned', () => {
  const cursors = [new Cursor('found', 0)]
  assert.deepEqual(wantedOf({}, { subscribe: ['a', '^f'], cursors }).named(), new Set(['a']))
  assert.deepEqual(wantedOf({}, { cursors }).named(), new Set(['found']))
})

test('a missing topic is the end of reading only if there is no other', () => {
  assert.equal(wantedOf({ a: missing.code }, { subscribe: 'a' }).readsBeside(missing, 'a'), false)
  assert.equal(wantedOf({ a: missing.code, b: 0 }, { subscribe: ['a', 'b'] }).readsBeside(missing, 'a'), true)
  const none = { a: missing.code, b: forbidden.code }
  assert.equal(wantedOf(none, { subscribe: ['a', 'b'] }).readsBeside(missing, 'a'), false)
})

test('a pattern may find a topic at any time, but not one that may not be read', () => {
  assert.equal(wantedOf({}, { subscribe: '^a' }).readsBeside(missing, 'a'), true)
  assert.equal(wantedOf({ a: forbidden.code }, { subscribe: '^a' }).readsBeside(forbidden, 'a'), false)
  assert.equal(wantedOf({ a: forbidden.code, ab: 0 }, { subscribe: '^a' }).readsBeside(forbidden, 'a'), true)
})

test('an assigned topic can be read while one of its partitions can', () => {
  const [lost, beyond] = [new Cursor('b', 0), new Cursor('b', 1)]
  lost.failed(forbidden)
  assert.equal(wantedOf({ b: 0 }, { cursors: [lost, beyond] }).readsBeside(missing, 'a'), false)
  lost.recovered()
  assert.equal(wantedOf({ b: 0 }, { cursors: [lost, beyond] }).readsBeside(missing, 'a'), true)
})
