import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetStore } from '../../src/consumer/offset-store.ts'

test('nothing is pending before something is stored', () => {
  assert.equal(new OffsetStore().pending(), null)
})

test('what is stored is pending until it is committed', () => {
  const store = new OffsetStore()
  store.store(10, 3, 'note')
  assert.deepEqual(store.pending(), { offset: 10, leaderEpoch: 3, metadata: 'note' })
  store.commitSucceeded(10)
  assert.equal(store.pending(), null)
})

test('a commit that was overtaken by newer progress leaves that pending', () => {
  const store = new OffsetStore()
  store.store(10, -1)
  store.store(12, -1)
  store.commitSucceeded(10)
  assert.equal(store.pending()?.offset, 12)
})

test('going back is never committed by itself', () => {
  const store = new OffsetStore()
  store.committed = 100
  store.store(50, -1)
  assert.equal(store.pending(), null)
  store.store(101, -1)
  assert.equal(store.pending()?.offset, 101)
})

test('after the program has committed a lower offset itself, progress counts from there', () => {
  const store = new OffsetStore()
  store.committed = 100
  store.commitSucceeded(40)
  store.store(50, -1)
  assert.equal(store.pending()?.offset, 50)
})
