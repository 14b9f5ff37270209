import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetStore } from '../../../src/consumer/partition/offset-store.ts'

/** A store of a partition that is read from `offset` on. */
function begun(offset: number, isAutomatic = true): OffsetStore {
  const store = new OffsetStore(isAutomatic)
  store.begins(offset, -1)
  return store
}

/** Of one that the group had committed. */
function resumed(offset: number, isAutomatic = true): OffsetStore {
  const store = new OffsetStore(isAutomatic)
  store.resumed(offset, 'note')
  store.begins(offset, -1)
  return store
}

function commit(store: OffsetStore, offset: number): void {
  store.commitEnded(store.commitBegins(), { offset })
}

function seek(store: OffsetStore, offset: number): void {
  store.moved()
  store.begins(offset, -1)
}

const pending = (store: OffsetStore): number | undefined => store.pending()?.offset

test('nothing is pending before something is stored', () => {
  assert.equal(new OffsetStore().pending(), null)
  assert.equal(begun(0).pending(), null)
  assert.equal(resumed(7).pending(), null)
})

test('what is stored is pending until it is committed', () => {
  const store = new OffsetStore()
  store.store(10, 3, 0, 'note')
  assert.deepEqual(store.pending(), { offset: 10, leaderEpoch: 3, metadata: 'note' })
  commit(store, 10)
  assert.equal(store.pending(), null)
})

test('a commit that was overtaken by newer progress leaves that pending', () => {
  const store = new OffsetStore()
  store.store(10, -1)
  const era = store.commitBegins()
  store.store(12, -1)
  store.commitEnded(era, { offset: 10 })
  assert.equal(pending(store), 12)
})

test('a commit that failed leaves what it was for pending', () => {
  const store = begun(0)
  store.store(10, -1)
  store.commitEnded(store.commitBegins(), null)
  assert.equal(pending(store), 10)
})

test('a lower offset is not committed by itself without a move', () => {
  const store = resumed(100)
  store.store(50, -1)
  assert.equal(store.pending(), null)
  store.store(101, -1)
  assert.equal(pending(store), 101)
})

test('after the application has committed a lower offset itself, progress counts from there', () => {
  const store = resumed(100)
  commit(store, 40)
  store.store(50, -1)
  assert.equal(pending(store), 50)
})

test('after the application has committed a higher offset itself, what was stored below it stays uncommitted', () => {
  const store = begun(0)
  store.store(5, -1)
  commit(store, 10)
  assert.equal(store.pending(), null)
  seek(store, 3)
  commit(store, 20)
  store.store(4, -1)
  assert.equal(store.pending(), null)
})

test('what was delivered before a move stores nothing', () => {
  const store = begun(0)
  store.store(5, -1)
  const { era } = store
  seek(store, 5)
  assert.equal(store.store(6, -1, era), false)
  assert.equal(pending(store), 5)
  seek(store, 900)
  assert.equal(store.store(7, -1, era + 1), false)
  assert.equal(pending(store), 900)
})

test('seeking back stores the new position, and commits it below the committed offset, once', () => {
  const store = begun(0)
  store.store(10, -1)
  commit(store, 10)
  seek(store, 5)
  assert.equal(pending(store), 5)
  commit(store, 5)
  assert.equal(store.pending(), null)
  store.store(6, -1)
  assert.equal(pending(store), 6)
})

test('seeking back while a commit is in flight commits the new position after it', () => {
  const store = begun(0)
  store.store(5, -1)
  commit(store, 5)
  store.store(10, -1)
  const era = store.commitBegins()
  seek(store, 5)
  assert.equal(pending(store), 5)
  store.commitEnded(era, { offset: 10 })
  assert.equal(pending(store), 5)
  commit(store, 5)
  assert.equal(store.pending(), null)
})

test('seeking back to the committed offset makes no commit', () => {
  const store = resumed(5)
  store.store(8, -1)
  seek(store, 5)
  assert.equal(store.pending(), null)
  store.store(6, -1)
  assert.equal(pending(store), 6)
})

test('while the place sought to is not known, nothing is committed', () => {
  const store = begun(0)
  store.store(10, -1)
  store.moved()
  assert.equal(store.pending(), null)
  store.begins(0, -1)
  assert.equal(pending(store), 0)
})

test('seeking forward stores the new position when no message is in progress any more', () => {
  const store = begun(0)
  store.store(9, -1)
  store.worker = { running: 1 }
  seek(store, 900)
  assert.equal(pending(store), 9)
  store.worker = { running: 0 }
  assert.equal(pending(store), 900)
})

test('seeking back stores the new position at once, whatever is in progress', () => {
  const store = resumed(100)
  store.worker = { running: 3 }
  seek(store, 20)
  assert.equal(pending(store), 20)
})

test('a partition with nothing but gaps has them stored', () => {
  const store = begun(0)
  store.passed(0, 4, 2)
  store.passed(4, 30, 3)
  assert.deepEqual(store.pending(), { offset: 30, leaderEpoch: 3, metadata: null })
  commit(store, 30)
  assert.equal(store.pending(), null)
})

test('a gap is stored with the message before it, whichever comes first', () => {
  const first = begun(0)
  first.store(1, 0)
  first.passed(1, 20, 1)
  assert.deepEqual(first.pending(), { offset: 20, leaderEpoch: 1, metadata: null })
  const later = begun(0)
  later.worker = { running: 1 }
  later.passed(1, 2, 0)
  later.passed(2, 20, 1)
  assert.equal(later.pending(), null)
  later.store(1, 0)
  assert.deepEqual(later.pending(), { offset: 20, leaderEpoch: 1, metadata: null })
})

test('a gap behind messages in progress waits for the last of them', () => {
  const store = begun(0)
  store.worker = { running: 3 }
  store.passed(3, 20, 0)
  store.store(2, 0)
  assert.equal(pending(store), 2)
  store.store(3, 0)
  assert.equal(pending(store), 20)
})

test('after the last gap, progress continues message by message', () => {
  const store = begun(0)
  store.store(1, 0)
  store.passed(1, 20, 0)
  store.store(21, 0)
  assert.equal(pending(store), 21)
  store.passed(21, 22, 0)
  assert.equal(pending(store), 22)
})

test('a gap from before a move does not extend what is stored after it', () => {
  const store = begun(0)
  store.store(10, 0)
  store.passed(10, 20, 0)
  seek(store, 9)
  store.store(10, 0)
  assert.equal(pending(store), 10)
  store.passed(10, 15, 0)
  assert.equal(pending(store), 15)
})

test('a gap after seeking forward waits for messages in progress from before', () => {
  const store = begun(0)
  store.store(5, 0)
  store.worker = { running: 1 }
  seek(store, 50)
  store.passed(50, 60, 0)
  assert.equal(pending(store), 5)
  store.worker = { running: 0 }
  assert.equal(pending(store), 60)
})

test('when the application stores offsets, a gap is stored only behind what it has stored', () => {
  const none = begun(0, false)
  none.passed(0, 9, 0)
  assert.equal(none.pending(), null)
  const store = begun(0, false)
  store.passed(3, 9, 0)
  store.store(2, 0)
  assert.equal(pending(store), 2)
  store.store(3, 0, 0, 'mine')
  assert.deepEqual(store.pending(), { offset: 9, leaderEpoch: 0, metadata: 'mine' })
})

test('a gap behind what the group has committed keeps its metadata', () => {
  for (const isAutomatic of [true, false]) {
    const store = resumed(11, isAutomatic)
    store.passed(11, 12, 4)
    assert.deepEqual(store.pending(), { offset: 12, leaderEpoch: 4, metadata: 'note' })
  }
  const byHand = begun(0, false)
  byHand.passed(11, 12, 4)
  byHand.commitEnded(byHand.commitBegins(), { offset: 11, metadata: 'mine' })
  assert.deepEqual(byHand.pending(), { offset: 12, leaderEpoch: 4, metadata: 'mine' })
})

test('when the application stores offsets, seeking back drops what is not committed, and no more', () => {
  const store = begun(0, false)
  store.store(10, 0)
  seek(store, 5)
  assert.equal(pending(store), 5)
  commit(store, 5)
  store.store(10, 0)
  commit(store, 10)
  seek(store, 0)
  assert.equal(store.pending(), null)
  store.store(12, 0)
  seek(store, 3)
  assert.equal(store.pending(), null)
  store.store(4, 0)
  assert.equal(pending(store), 4)
})

test('when the application stores offsets, seeking forward leaves what is stored', () => {
  const store = begun(0, false)
  store.store(10, 0)
  seek(store, 900)
  assert.equal(pending(store), 10)
  store.store(901, 0)
  assert.equal(pending(store), 901)
})

test('a reset stores its destination, below the committed offset or above', () => {
  for (const isAutomatic of [true, false]) {
    for (const [from, to] of [
      [100, 0],
      [100, 150],
    ] as const) {
      const store = resumed(from, isAutomatic)
      store.moved(from)
      store.begins(to, -1)
      assert.equal(pending(store), to, `${isAutomatic} ${to}`)
    }
  }
})

test('when the application stores offsets, a reset stores nothing while not everything before is stored', () => {
  const store = resumed(100, false)
  store.store(105, 0)
  commit(store, 105)
  store.moved(110)
  store.begins(150, -1)
  assert.equal(store.pending(), null)
})

test('what the application stores while a logical offset is being resolved counts', () => {
  const store = begun(0, false)
  store.moved()
  store.store(70, 0)
  assert.equal(pending(store), 70)
  store.begins(200, -1)
  assert.equal(pending(store), 70)
})

test('an assignment at another offset than before is a move', () => {
  const before = begun(0)
  before.store(10, 0)
  commit(before, 10)
  const store = new OffsetStore()
  store.follows(before)
  store.begins(5, -1)
  assert.equal(pending(store), 5)
  const first = new OffsetStore()
  first.follows(begun(0))
  first.begins(5, -1)
  assert.equal(first.pending(), null)
})

test('a seek settles what a serial reader has in hand, a reset does not', () => {
  const sought = begun(0)
  sought.store(5, -1)
  sought.isInProgress = true
  seek(sought, 900)
  assert.equal(pending(sought), 900)
  const reset = begun(0)
  reset.store(5, -1)
  reset.isInProgress = true
  reset.moved(6)
  reset.begins(900, -1)
  assert.equal(pending(reset), 5)
  reset.isInProgress = false
  assert.equal(pending(reset), 900)
})
