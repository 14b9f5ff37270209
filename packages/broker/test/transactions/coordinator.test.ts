import { beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import type { TopicPartition } from '../../src/topics/topics.ts'
import { MAX_EPOCH } from '../../src/transactions/transaction.ts'
import { TransactionCoordinator, type EndMarker, type Outcome } from '../../src/transactions/coordinator.ts'
import { FakeClock } from '../fake-clock.ts'

const place = { topic: 't', partition: 0 }

let clock: FakeClock
let markers: (EndMarker & TopicPartition)[]
let hasLeader: boolean
let coordinator: TransactionCoordinator

function make(bumpsEpoch: boolean): TransactionCoordinator {
  let nextProducerId = 100n
  return new TransactionCoordinator({
    clock,
    maxTimeoutMs: 900_000,
    bumpsEpoch,
    nextProducerId: () => nextProducerId++,
    writeMarker: (partition, marker) => {
      if (hasLeader) markers.push({ ...partition, ...marker })
      return hasLeader
    },
    changed: () => undefined,
  })
}

beforeEach(() => {
  clock = new FakeClock()
  markers = []
  hasLeader = true
  coordinator = make(true)
})

function begin(id = 'txn', timeoutMs = 60_000): Outcome {
  const outcome = coordinator.initProducerId(id, timeoutMs, null)
  assert.equal(coordinator.addPartitions(id, outcome, [place], true), ErrorCode.ERR_NO_ERROR)
  return outcome
}

function stateOf(id = 'txn'): string | undefined {
  return coordinator.get(id)?.fields.state
}

test('a transaction is aborted when it times out, and its producer is fenced', () => {
  for (const bumpsEpoch of [true, false]) {
    coordinator = make(bumpsEpoch)
    const producer = begin('txn', 5000)
    clock.advance(4999)
    assert.equal(stateOf(), 'Ongoing')
    clock.advance(1)
    assert.equal(stateOf(), 'CompleteAbort')
    assert.equal(markers.at(-1)?.producerEpoch, 1)
    assert.equal(markers.at(-1)?.commit, false)
    assert.equal(coordinator.addPartitions('txn', producer, [place], true), ErrorCode.ERR_PRODUCER_FENCED)
  }
})

test('adding partitions does not extend a transaction', () => {
  const producer = begin('txn', 5000)
  clock.advance(3000)
  coordinator.addPartitions('txn', producer, [{ topic: 't', partition: 1 }], true)
  clock.advance(2000)
  assert.equal(stateOf(), 'CompleteAbort')
  assert.equal(markers.length, 2)
})

test('a marker waits for the leader of its partition', () => {
  const producer = begin()
  hasLeader = false
  assert.equal(coordinator.end('txn', producer, true, true).errorCode, ErrorCode.ERR_NO_ERROR)
  assert.equal(stateOf(), 'PrepareCommit')
  const again = coordinator.end('txn', producer, true, true)
  assert.equal(again.errorCode, ErrorCode.ERR_CONCURRENT_TRANSACTIONS)
  assert.equal(coordinator.initProducerId('txn', 1000, null).errorCode, ErrorCode.ERR_CONCURRENT_TRANSACTIONS)
  const next = { producerId: producer.producerId, producerEpoch: 1 }
  const added = coordinator.admit('txn', next, place, 'add')
  assert.equal(added, ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  hasLeader = true
  clock.advance(100)
  assert.equal(stateOf(), 'CompleteCommit')
  assert.deepEqual(markers, [
    { ...place, transactionalId: 'txn', producerId: producer.producerId, producerEpoch: 1, commit: true },
  ])
})

test('a producer with exhausted epochs gets another id', () => {
  const producer = begin()
  const { fields } = coordinator.get('txn') ?? assert.fail()
  fields.epoch = MAX_EPOCH
  const last = { producerId: producer.producerId, producerEpoch: MAX_EPOCH }
  const ended = coordinator.end('txn', last, true, true)
  assert.deepEqual(ended, { errorCode: 0, producerId: 101n, producerEpoch: 0 })
  assert.equal(markers[0]?.producerEpoch, MAX_EPOCH + 1)
  assert.equal(markers[0].producerId, producer.producerId)
  // The response was lost.
  assert.deepEqual(coordinator.end('txn', last, true, true), ended)
  assert.deepEqual(coordinator.initProducerId('txn', 60_000, last).errorCode, ErrorCode.ERR_PRODUCER_FENCED)
})

test('new instances exhaust the epochs, too', () => {
  const producer = coordinator.initProducerId('txn', 60_000, null)
  const { fields } = coordinator.get('txn') ?? assert.fail()
  fields.epoch = MAX_EPOCH
  const next = coordinator.initProducerId('txn', 60_000, null)
  assert.deepEqual(next, { errorCode: 0, producerId: producer.producerId + 1n, producerEpoch: 0 })
})

test('a transactional id idle for a week is forgotten unless it has a transaction', () => {
  coordinator.initProducerId('idle', 60_000, null)
  clock.advance(604_800_000)
  begin('busy')
  coordinator.expire()
  assert.deepEqual(
    [...coordinator.all()].map(({ id }) => id),
    ['busy'],
  )
})

test('a restored transaction continues where it was', () => {
  const producer = begin('txn', 5000)
  const kept = coordinator.get('txn') ?? assert.fail()
  const again = make(true)
  again.restore('txn', { ...kept.fields, partitions: new Map(kept.fields.partitions) })
  assert.equal(again.end('txn', producer, true, true).errorCode, ErrorCode.ERR_NO_ERROR)
  assert.equal(again.get('txn')?.fields.state, 'CompleteCommit')
})
