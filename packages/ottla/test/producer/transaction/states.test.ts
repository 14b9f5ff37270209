import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  mayProduce,
  maySend,
  nextState,
  type TransactionEvent,
  type TransactionStateName,
} from '../../../src/producer/transaction/states.ts'

function walk(state: TransactionStateName, ...events: TransactionEvent[]): (TransactionStateName | null)[] {
  let now: TransactionStateName | null = state
  return events.map(event => (now = now === null ? null : nextState(now, event)))
}

test('a producer gets its id, and a transaction is committed', () => {
  assert.deepEqual(walk('Init', 'initialize', 'granted', 'acknowledge'), ['WaitPID', 'ReadyNotAcked', 'Ready'])
  assert.deepEqual(walk('Ready', 'begin', 'commit', 'flushed', 'ended', 'acknowledge'), [
    'InTransaction',
    'BeginCommit',
    'CommittingTransaction',
    'CommitNotAcked',
    'Ready',
  ])
})

test('a transaction is aborted, before and after it has failed', () => {
  const end: TransactionStateName[] = ['BeginAbort', 'AbortingTransaction', 'AbortedNotAcked', 'Ready']
  assert.deepEqual(walk('InTransaction', 'abort', 'drained', 'ended', 'acknowledge'), end)
  for (const state of ['InTransaction', 'BeginCommit', 'CommittingTransaction'] as const) {
    assert.deepEqual(walk(state, 'fail', 'abort', 'drained', 'ended', 'acknowledge'), ['AbortableError', ...end])
  }
})

test('a failed transaction cannot be committed, and failures during the abort change nothing', () => {
  assert.deepEqual(walk('AbortableError', 'commit'), [null])
  assert.deepEqual(walk('AbortableError', 'begin'), [null])
  assert.deepEqual(walk('BeginAbort', 'fail'), [null])
  assert.deepEqual(walk('AbortingTransaction', 'fail', 'abort'), ['AbortableError', 'BeginAbort'])
})

test('an end whose outcome the application does not know comes before the next transaction', () => {
  for (const state of ['ReadyNotAcked', 'CommitNotAcked', 'AbortedNotAcked'] as const) {
    assert.deepEqual(walk(state, 'begin'), [null])
    assert.deepEqual(walk(state, 'acknowledge', 'begin'), ['Ready', 'InTransaction'])
  }
})

test('a fatal error is possible in every state, and final', () => {
  const states: TransactionStateName[] = [
    'Init',
    'WaitPID',
    'ReadyNotAcked',
    'Ready',
    'InTransaction',
    'BeginCommit',
    'CommittingTransaction',
    'CommitNotAcked',
    'BeginAbort',
    'AbortingTransaction',
    'AbortedNotAcked',
    'AbortableError',
  ]
  for (const state of states) assert.equal(nextState(state, 'die'), 'FatalError')
  const events: TransactionEvent[] = ['initialize', 'granted', 'acknowledge', 'begin', 'commit', 'abort', 'fail', 'die']
  for (const event of events) assert.equal(nextState('FatalError', event), null)
})

test('messages are accepted within a transaction, and sent until it has been flushed', () => {
  assert.deepEqual([mayProduce('InTransaction'), maySend('InTransaction')], [true, true])
  assert.deepEqual([mayProduce('BeginCommit'), maySend('BeginCommit')], [false, true])
  for (const state of ['Ready', 'CommittingTransaction', 'AbortableError', 'BeginAbort'] as const) {
    assert.deepEqual([mayProduce(state), maySend(state)], [false, false])
  }
})
