import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { some } from '../../../src/cluster/insight.ts'
import { Subscription } from '../../../src/consumer/group/subscription.ts'
import { Explainer, type ExplainedConsumer, type ExplainedGroup } from '../../../src/consumer/insight/explainer.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { OFFSET_BEGINNING, OFFSET_STORED } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const UP = { name: 'b1:9092/1', isUp: true, isFailing: false, lastFailure: null }

function scene(consumer: Partial<ExplainedConsumer> = {}, brokers: readonly object[] = [UP]) {
  const clock = new FakeClock()
  let listener: (event: object) => void = () => undefined
  const topics = new Map([['t', { topic: 't', errorCode: 0, partitions: [{ leader: 1 }, { leader: -1 }] }]])
  const cluster = { metadata: { snapshot: { topics } }, allBrokers: () => brokers } as unknown as Cluster
  const context = {
    clock,
    settings: { 'group.id': 'g', 'group.protocol': 'classic' },
    events: { subscribe: (each: typeof listener) => (listener = each) },
  } as unknown as ClientContext
  const runningJobs = new RunningJobs(clock, 1e6)
  const explainer = new Explainer(context, cluster, {
    cursors: [],
    isClosed: false,
    isWaiting: true,
    isQueueFull: () => false,
    runningJobs,
    group: null,
    ...consumer,
  })
  return { clock, topics, runningJobs, explainer, emit: (event: object) => listener(event) }
}

function groupOf(group: Partial<ExplainedGroup>): ExplainedGroup {
  return { subscription: new Subscription('t'), isParked: false, hasCallbacks: false, joinState: 'steady', ...group }
}

const at = (offset: number, partition = 0): Cursor => {
  const cursor = new Cursor('t', partition)
  cursor.moveTo(offset)
  return cursor
}

test('a partition says what it waits for', () => {
  const { explainer, topics } = scene()
  assert.equal(explainer.partition(at(OFFSET_STORED)), 'waits for its committed offset from the group coordinator')
  assert.equal(explainer.partition(at(OFFSET_BEGINNING)), 'waits for its first offset from its leader, broker 1')
  assert.equal(explainer.partition(at(5, 1)), 'has no leader')
  assert.equal(explainer.partition(at(5, 2)), 'does not exist: the topic has 2 partitions')
  const failing = at(OFFSET_STORED)
  failing.failed(KafkaError.of(ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'g'))
  assert.match(explainer.partition(failing), /from the group coordinator; last error: g: /)
  const stopped = at(5)
  stopped.stop()
  assert.match(explainer.partition(stopped), /auto\.offset\.reset=error: call seek/)
  topics.set('t', { topic: 't', errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, partitions: [] })
  assert.equal(explainer.partition(at(5)), 'may not be read by this user')
})

test('a partition that is read says how far', () => {
  const { explainer } = scene()
  const cursor = at(5)
  assert.equal(explainer.partition(cursor), 'is being fetched from its leader, broker 1 for the first time')
  Object.assign(cursor.fetching, { fetchedAt: 1, end: 7, high: 9 })
  assert.equal(explainer.partition(cursor), 'is being fetched from its leader, broker 1')
  cursor.fetching.preferReplica(3, 1e6)
  assert.equal(explainer.partition(cursor), 'is being fetched from broker 3')
  cursor.position = 7
  assert.match(explainer.partition(cursor), /^is read up to a transaction that has not ended/)
  cursor.fetching.high = 7
  assert.equal(explainer.partition(cursor), 'is read to its end')
  cursor.pause(0)
  assert.equal(explainer.partition(cursor), 'is paused')
})

test('a message that takes long is named, also after its partition was given up', async () => {
  const cursor = at(5)
  const { explainer, clock, runningJobs } = scene({ cursors: [cursor] })
  runningJobs.begin({ job: null, onAwaitsEnd: () => undefined }, cursor, 7, 'handler')
  const gone = at(0, 1)
  runningJobs.begin({ job: null, onAwaitsEnd: () => undefined }, gone, 3, 'deserializer')
  await clock.advance(2000)
  assert.deepEqual(explainer.explain(), [
    't [1] is no longer assigned: its deserializer has been processing offset 3 for 2 s.',
    't [0]: its handler has been processing offset 7 for 2 s.',
  ])
})

test('partitions with the same reason share a sentence, and many are counted', () => {
  const cursors = Array.from({ length: 7 }, () => at(5))
  for (const cursor of cursors) cursor.pause(0)
  const names = Array.from({ length: 5 }, () => 't [0]').join(', ')
  assert.deepEqual(scene({ cursors }).explainer.explain(), [`${names} and 2 more: is paused.`])
  assert.equal(some(['a', 'b']), 'a, b')
})

test('brokers come first: unreachable ones with the reason', () => {
  const down = {
    name: 'b2:9092/2',
    isUp: false,
    isFailing: true,
    isMissed: true,
    lastFailure: KafkaError.of(ErrorCode.ERR__TRANSPORT, 'b2'),
  }
  const nothing = 'Nothing is subscribed to or assigned: call subscribe or assign.'
  const said = (brokers: readonly object[]): string | undefined => scene({}, brokers).explainer.explain()[0]
  assert.equal(said([UP]), nothing)
  assert.match(said([UP, down]) ?? '', /^These brokers cannot be reached: b2:9092\/2; .* \(ERR__TRANSPORT\)\.$/)
  assert.equal(said([UP, { ...down, isMissed: false }]), nothing)
  assert.match(said([down]) ?? '', /^No broker can be reached: b2:9092\/2; /)
  assert.equal(said([{ ...UP, isUp: false }]), 'There is no connection yet: b1:9092/1.')
})

test('the group says what a member waits for', () => {
  const said = (group: Partial<ExplainedGroup>, isWaiting = true): string[] =>
    scene({ group: groupOf(group), isWaiting }).explainer.explain()
  assert.deepEqual(said({}), ["The consumer (group 'g') has no partition: others have them all, or there are none."])
  assert.match(said({ joinState: 'wait-sync' })[0] ?? '', /waits for the leader to assign the partitions\.$/)
  assert.match(said({ isParked: true })[0] ?? '', /has left the group \(max\.poll\.interval\.ms\): it joins again when/)
  assert.match(said({ hasCallbacks: true })[0] ?? '', /the rebalance callback is running\.$/)
  assert.deepEqual(said({ hasCallbacks: true }, false), [
    "The consumer (group 'g') is to be assigned partitions, or to give them up, as soon as the application polls.",
    'The application is not asking: no poll, iterator or run waits for messages.',
  ])
  assert.equal(said({ subscription: new Subscription('^x') })[0], 'No topic matches ^x.')
})

test('the last error is named with its age; that all brokers are down, by its cause', async () => {
  const { explainer, clock, emit } = scene({ isClosed: false, cursors: [at(5)] })
  const cause = KafkaError.of(ErrorCode.ERR__RESOLVE, 'b1')
  emit({ type: 'error', error: new KafkaError(ErrorCode.ERR__ALL_BROKERS_DOWN, 'all down', { cause }) })
  await clock.advance(3000)
  assert.equal(explainer.explain().at(-1), `The last error, 3 s ago: ${cause.message} (ERR__RESOLVE).`)
  assert.deepEqual(scene({ isClosed: true }).explainer.explain(), ['The consumer is closed.'])
})
