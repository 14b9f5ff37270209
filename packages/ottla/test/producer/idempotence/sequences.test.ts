import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { giveUp, judgeSequence, stampHead } from '../../../src/producer/idempotence/sequences.ts'
import type { Batch, Identity } from '../../../src/producer/queue/batch.ts'
import type { PartitionQueue } from '../../../src/producer/queue/partition-queue.ts'
import { fill, makeQueue } from '../queues.ts'

const first: Identity = { producerId: 7n, producerEpoch: 0, isTransactional: false }
const second: Identity = { producerId: 7n, producerEpoch: 1, isTransactional: false }
const OUT_OF_ORDER = ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER

function queueOf(count: number): PartitionQueue {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, count)
  return queue
}

/** Stamps the head and takes it; null if it has to wait. */
function send(queue: PartitionQueue, identity: Identity | null): Batch | null {
  const { head } = queue
  return head !== null && stampHead(queue, head, identity) ? queue.take(1) : null
}

/** Batches in flight, the first of which the leader has acknowledged. */
function inFlight(count: number): { queue: PartitionQueue; batches: Batch[] } {
  const queue = queueOf(count + 1)
  assert.notEqual(send(queue, first), null)
  queue.settle()
  queue.isAcknowledged = true
  queue.acknowledgedTo = 1
  const batches = Array.from({ length: count }, () => send(queue, first) ?? assert.fail())
  return { queue, batches }
}

test('a batch waits for an id, and the second one for the acknowledgement of the first', () => {
  const queue = queueOf(3)
  assert.equal(send(queue, null), null)
  assert.equal(send(queue, first)?.stamp?.baseSequence, 0)
  assert.equal(send(queue, first), null)
  queue.settle()
  queue.isAcknowledged = true
  assert.deepEqual([send(queue, first)?.stamp?.baseSequence, send(queue, first)?.stamp?.baseSequence], [1, 2])
})

test('messages that were given up before they were stamped leave no gap', () => {
  const queue = queueOf(3)
  send(queue, first)
  queue.settle()
  queue.isAcknowledged = true
  const [expired] = queue.takeWhile(batch => batch.baseMsgid === 1)
  giveUp(null, queue, expired ?? assert.fail(), null)
  assert.equal(send(queue, first)?.stamp?.baseSequence, 1)
  assert.equal(queue.hasGap, false)
})

test('after a gap the sequence restarts with another identity, once nothing is in flight', () => {
  const { queue, batches } = inFlight(2)
  const reasons: string[] = []
  const identity = {
    current: first,
    transaction: null,
    gap: (_: Identity | null, reason: string) => void reasons.push(reason),
    fenced: () => undefined,
    lost: () => undefined,
  }
  giveUp(identity, queue, batches[0] ?? assert.fail(), null)
  queue.settle()
  assert.deepEqual(reasons, ['t [0]: 1 messages were given up'])
  queue.retry(batches[1] ?? assert.fail(), 0)
  assert.equal(send(queue, first), null, 'the identity with the gap')
  const again = send(queue, second)
  assert.deepEqual([again?.stamp?.producerEpoch, again?.stamp?.baseSequence, queue.hasGap], [1, 0, false])
})

test('a batch in doubt keeps its stamp, whatever the identity is now', () => {
  const { queue, batches } = inFlight(1)
  const [batch] = batches
  assert.ok(batch !== undefined)
  batch.doubt = 'possibly-persisted'
  queue.hasGap = true
  queue.retry(batch, 0)
  const { stamp } = batch
  assert.equal(send(queue, second), batch)
  assert.equal(batch.stamp, stamp)
})

test('a duplicate is persisted, an unknown id leaves a gap, a refused epoch is fenced', () => {
  const verdicts = [
    ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER,
    ErrorCode.ERR_UNKNOWN_PRODUCER_ID,
    ErrorCode.ERR_INVALID_PRODUCER_EPOCH,
    ErrorCode.ERR_NOT_LEADER_FOR_PARTITION,
  ].map(code => {
    const { queue, batches } = inFlight(1)
    return [judgeSequence(queue, batches[0] ?? assert.fail(), code), queue.hasGap]
  })
  assert.deepEqual(verdicts, [
    ['persisted', false],
    ['retry', true],
    ['fenced', true],
    ['other', false],
  ])
})

test('out of order, a batch behind an older one to be retried only came too early', () => {
  const { queue, batches } = inFlight(2)
  queue.retry(batches[0] ?? assert.fail(), 0)
  assert.equal(judgeSequence(queue, batches[1] ?? assert.fail(), OUT_OF_ORDER), 'retry')
  assert.equal(queue.hasGap, false)
})

test('out of order, a batch in doubt before an acknowledged one is in the log', () => {
  const { queue, batches } = inFlight(2)
  const [batch] = batches
  assert.ok(batch !== undefined)
  batch.doubt = 'possibly-persisted'
  queue.acknowledgedTo = 3
  assert.equal(judgeSequence(queue, batch, OUT_OF_ORDER), 'persisted')
})

test('out of order, a batch in doubt is set aside while others in doubt behind it may tell', () => {
  const { queue, batches } = inFlight(2)
  const [one, other] = batches
  assert.ok(one !== undefined && other !== undefined)
  one.doubt = other.doubt = 'possibly-persisted'
  queue.retry(other, 0)
  assert.equal(judgeSequence(queue, one, OUT_OF_ORDER), 'set-aside')
  queue.setAside(one)
  assert.equal(send(queue, first), other)
  assert.equal(judgeSequence(queue, other, OUT_OF_ORDER), 'retry')
  assert.deepEqual([one.doubt, queue.hasGap], ['not-persisted', true], 'none of them is in the log')
})

test('out of order, a batch in doubt stays so while given-up batches may still be written', () => {
  const { queue, batches } = inFlight(1)
  const [batch] = batches
  assert.ok(batch !== undefined)
  batch.doubt = 'possibly-persisted'
  queue.hasStragglers = true
  assert.equal(judgeSequence(queue, batch, OUT_OF_ORDER), 'in-doubt')
})
