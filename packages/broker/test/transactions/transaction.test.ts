import { test } from 'node:test'
import assert from 'node:assert/strict'
import { MAX_EPOCH, Transaction, partitionKey, type TransactionState } from '../../src/transactions/transaction.ts'

function inState(state: TransactionState, epoch = 0): Transaction {
  return new Transaction('txn', {
    producerId: 1n,
    previousProducerId: -1n,
    nextProducerId: -1n,
    epoch,
    lastEpoch: -1,
    timeoutMs: 1000,
    state,
    startTime: -1,
    updateTime: 0,
    bumpsEpoch: true,
    partitions: new Map(),
  })
}

test('a transaction that is about to end can only end, and only as it was decided', () => {
  assert.throws(
    () => inState('PrepareCommit').enter('CompleteAbort', 1),
    /cannot go from PrepareCommit to CompleteAbort/,
  )
  assert.throws(() => inState('PrepareAbort').enter('Ongoing', 1), /txn cannot go/)
  assert.throws(() => inState('Ongoing').enter('Dead', 1))
  assert.throws(() => inState('Empty').enter('PrepareCommit', 1), /Empty to PrepareCommit/)
  assert.throws(() => inState('Dead').enter('Empty', 1))
})

test('every move stops the timer of the state before, and notes the time', () => {
  const transaction = inState('Ongoing')
  let cancelled = 0
  transaction.timer = { cancel: () => cancelled++ }
  transaction.enter('PrepareAbort', 77)
  assert.deepEqual([cancelled, transaction.timer, transaction.fields.updateTime], [1, null, 77])
  assert.equal(transaction.isPreparing, true)
})

test('the last epoch is left for fencing', () => {
  assert.equal(inState('Empty', MAX_EPOCH - 1).isEpochExhausted, false)
  assert.equal(inState('Empty', MAX_EPOCH).isEpochExhausted, true)
})

test('partitions of topics whose names end in digits are told apart', () => {
  assert.notEqual(partitionKey({ topic: 't1', partition: 2 }), partitionKey({ topic: 't', partition: 12 }))
})
