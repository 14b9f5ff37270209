import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../../src/errors.ts'
import { runTransaction } from '../../../src/producer/transaction/run.ts'
import type { Transactions } from '../../../src/producer/transaction/transactions.ts'

const wait = { timeoutMs: -1, signal: undefined }

/** Records the calls; commit and abort fail with the given errors. */
class FakeTransactions {
  readonly calls: string[] = []
  isInitialized = false
  isOpen = false
  commitError: KafkaError | null = null
  /** Whether the transaction is still open after a failed commit. */
  isOpenAfterCommit = true
  abortError: KafkaError | null = null

  initialize(): Promise<void> {
    this.calls.push('initialize')
    this.isInitialized = true
    return Promise.resolve()
  }

  begin(): void {
    this.calls.push('begin')
    this.isOpen = true
  }

  commit(): Promise<void> {
    this.calls.push('commit')
    this.isOpen = this.commitError !== null && this.isOpenAfterCommit
    return this.commitError === null ? Promise.resolve() : Promise.reject(this.commitError)
  }

  abort(): Promise<void> {
    this.calls.push('abort')
    this.isOpen = false
    return this.abortError === null ? Promise.resolve() : Promise.reject(this.abortError)
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return runTransaction(this as unknown as Transactions, work, wait)
  }
}

test('the producer is initialized before its first transaction only', async () => {
  const transactions = new FakeTransactions()
  assert.equal(await transactions.run(() => Promise.resolve(1)), 1)
  assert.equal(await transactions.run(() => Promise.resolve(2)), 2)
  assert.deepEqual(transactions.calls, ['initialize', 'begin', 'commit', 'begin', 'commit'])
})

test('work that throws is aborted, and its error stays', async () => {
  const transactions = new FakeTransactions()
  const error = new Error('no')
  await assert.rejects(
    transactions.run(() => Promise.reject(error)),
    thrown => thrown === error,
  )
  assert.deepEqual(transactions.calls.slice(1), ['begin', 'abort'])
})

test('a commit that failed is followed by an abort, one that timed out is not', async () => {
  for (const isOpenAfterCommit of [true, false]) {
    const transactions = new FakeTransactions()
    transactions.commitError = new KafkaError(ErrorCode.ERR__TIMED_OUT, 'commit')
    transactions.isOpenAfterCommit = isOpenAfterCommit
    await assert.rejects(
      transactions.run(() => Promise.resolve()),
      /commit/,
    )
    assert.equal(transactions.calls.includes('abort'), isOpenAfterCommit)
  }
})

test('a fatal error of the abort goes first, with the error of the work as its cause', async () => {
  const transactions = new FakeTransactions()
  const error = new Error('no')
  transactions.abortError = new KafkaError(ErrorCode.ERR__FENCED, 'fenced', { fatal: true })
  await assert.rejects(
    transactions.run(() => Promise.reject(error)),
    (thrown: unknown) => thrown instanceof KafkaError && thrown.isFatal && thrown.cause === error,
  )
})

test('so does an abort that timed out, which the application can repeat', async () => {
  const transactions = new FakeTransactions()
  const error = new Error('no')
  transactions.abortError = new KafkaError(ErrorCode.ERR__TIMED_OUT, 'abort', { retriable: true })
  await assert.rejects(
    transactions.run(() => Promise.reject(error)),
    (thrown: unknown) =>
      thrown instanceof KafkaError &&
      thrown.code === ErrorCode.ERR__TIMED_OUT &&
      thrown.isRetriable &&
      !thrown.isFatal &&
      thrown.cause === error,
  )
})
