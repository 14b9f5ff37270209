import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { SharePartition, checkAcknowledgements, type ShareLimits } from '../../src/groups/share-partition.ts'
import { FakeClock } from '../fake-clock.ts'

const limits: ShareLimits = { lockMs: 30_000, deliveries: 5, locks: 2000, mayRenew: true }
const ACCEPT = 1
const RELEASE = 2
const REJECT = 3
const RENEW = 4

/** A partition whose log has batches of ten records each. */
class Scene {
  readonly clock = new FakeClock()
  woken = 0
  readonly partition = new SharePartition(0, -1, this.clock, () => this.woken++)

  /** As `0-9 x1`: first and last offset, and delivery count. */
  take(
    memberId: string,
    end = 10,
    more: { maxRecords?: number; isStrict?: boolean; batchSize?: number; limits?: ShareLimits } = {},
  ): string[] {
    const from = Math.floor(this.partition.nextOffset / 10) * 10
    const batches = []
    for (let baseOffset = from; baseOffset < end; baseOffset += 10) {
      batches.push({ baseOffset, lastOffset: baseOffset + 9 })
    }
    return this.partition
      .acquire({ memberId, batches, maxRecords: 500, batchSize: 500, isStrict: false, limits, ...more })
      .map(({ firstOffset, lastOffset, deliveryCount }) => `${firstOffset}-${lastOffset} x${deliveryCount}`)
  }

  acknowledge(memberId: string, firstOffset: number, lastOffset: number, ...types: number[]): void {
    this.partition.acknowledge(memberId, [{ firstOffset, lastOffset, types }], limits)
  }
}

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof GroupRefusal && error.errorCode === code)
}

test('records that one member has are not delivered to another', () => {
  const scene = new Scene()
  assert.deepEqual(scene.take('a', 20), ['0-19 x1'])
  assert.deepEqual(scene.take('b', 20), [])
  assert.deepEqual(scene.take('b', 30), ['20-29 x1'])
})

test('accepted and rejected records are done, and the start moves past them', () => {
  const scene = new Scene()
  scene.take('a')
  scene.acknowledge('a', 0, 1, ACCEPT)
  assert.equal(scene.partition.startOffset, 2)
  scene.acknowledge('a', 3, 9, REJECT)
  assert.equal(scene.partition.startOffset, 2, 'one is still out')
  assert.equal(scene.partition.doneCount, 7)
  assert.equal(scene.partition.storedOffset, 2)
  scene.acknowledge('a', 2, 2, ACCEPT)
  assert.deepEqual([scene.partition.startOffset, scene.partition.endOffset], [10, 10])
})

test('released records are delivered again, with a higher count', () => {
  const scene = new Scene()
  scene.take('a')
  scene.acknowledge('a', 0, 9, ACCEPT, ACCEPT, RELEASE, RELEASE, ACCEPT, RELEASE, ACCEPT, ACCEPT, ACCEPT, ACCEPT)
  assert.equal(scene.woken, 1)
  assert.equal(scene.partition.nextOffset, 2)
  assert.deepEqual(scene.take('b'), ['2-3 x2', '5-5 x2'])
})

test('a lock expires unless it is renewed', () => {
  const scene = new Scene()
  scene.take('a')
  scene.clock.advance(29_999)
  scene.acknowledge('a', 0, 4, RENEW)
  scene.clock.advance(1)
  assert.equal(scene.woken, 1)
  refuses(ErrorCode.ERR_INVALID_RECORD_STATE, () => scene.acknowledge('a', 5, 9, ACCEPT))
  assert.deepEqual(scene.take('b'), ['5-9 x2'])
  scene.acknowledge('a', 0, 4, ACCEPT)
  assert.equal(scene.partition.startOffset, 5)
})

test('records that fail often are delivered in ever smaller ranges, the last time alone, and then never', () => {
  const scene = new Scene()
  const given: string[][] = []
  for (let i = 0; i < 6; i++) {
    given.push(scene.take('a'))
    scene.partition.releaseAll('a', limits)
  }
  assert.deepEqual(given, [['0-9 x1'], ['0-9 x2'], ['0-9 x3'], ['0-4 x4'], ['0-0 x5'], ['1-1 x5']])
  assert.equal(scene.partition.startOffset, 2)
})

test('acknowledgements are refused as a whole if the member does not have all of the records', () => {
  const scene = new Scene()
  scene.take('a')
  refuses(ErrorCode.ERR_INVALID_RECORD_STATE, () => scene.acknowledge('b', 0, 9, ACCEPT))
  refuses(ErrorCode.ERR_INVALID_REQUEST, () => scene.acknowledge('a', 5, 10, ACCEPT))
  refuses(ErrorCode.ERR_INVALID_REQUEST, () => scene.acknowledge('a', 10, 11, ACCEPT))
  scene.acknowledge('a', 4, 4, ACCEPT)
  refuses(ErrorCode.ERR_INVALID_RECORD_STATE, () => scene.acknowledge('a', 0, 9, ACCEPT))
  scene.acknowledge('a', 0, 3, ACCEPT)
  assert.equal(scene.partition.startOffset, 5)
  scene.acknowledge('a', 0, 3, ACCEPT)
  const fixed = { ...limits, mayRenew: false }
  refuses(ErrorCode.ERR_INVALID_RECORD_STATE, () =>
    scene.partition.acknowledge('a', [{ firstOffset: 5, lastOffset: 5, types: [RENEW] }], fixed),
  )
})

test('whole batches are delivered unless the limit is strict', () => {
  const scene = new Scene()
  assert.deepEqual(scene.take('a', 30, { maxRecords: 5 }), ['0-9 x1'])
  assert.deepEqual(scene.take('a', 30, { maxRecords: 5, isStrict: true }), ['10-14 x1'])
  assert.deepEqual(scene.take('a', 30, { maxRecords: 100, batchSize: 20 }), ['15-29 x1'])
})

test('a group locks no more records than its limit', () => {
  const scene = new Scene()
  const few = { ...limits, locks: 10 }
  assert.deepEqual(scene.take('a', 30, { limits: few }), ['0-9 x1'])
  assert.deepEqual(scene.take('b', 30, { limits: few }), [])
  scene.acknowledge('a', 0, 9, ACCEPT)
  assert.deepEqual(scene.take('b', 30, { limits: few }), ['10-19 x1'])
})

test('records before the start of the log are dropped', () => {
  const scene = new Scene()
  scene.take('a', 20)
  scene.partition.startAt(15)
  assert.deepEqual([scene.partition.startOffset, scene.partition.endOffset], [15, 20])
  scene.acknowledge('a', 0, 19, ACCEPT)
  assert.equal(scene.partition.startOffset, 20)
  scene.partition.startAt(50)
  assert.equal(scene.partition.nextOffset, 50)
})

test('acknowledgements have to be in order and of a known type', () => {
  const check = (first: number, last: number, types: number[], canRenew = true, isRenewal = true): number =>
    checkAcknowledgements([{ firstOffset: first, lastOffset: last, types }], canRenew, isRenewal)
  assert.equal(check(0, 3, [ACCEPT]), 0)
  assert.equal(check(0, 1, [ACCEPT, REJECT]), 0)
  for (const code of [
    check(3, 0, [ACCEPT]),
    check(0, 3, []),
    check(0, 3, [ACCEPT, ACCEPT]),
    check(0, 3, [5]),
    check(0, 3, [-1]),
    check(0, 3, [RENEW], false),
    check(0, 3, [RENEW], true, false),
  ]) {
    assert.equal(code, ErrorCode.ERR_INVALID_REQUEST)
  }
})

test('another leader gives again what the former one had locked, and has not counted that', () => {
  const scene = new Scene()
  assert.equal(scene.partition.isLedIn(4), true)
  assert.deepEqual(scene.take('a'), ['0-9 x1'])
  scene.acknowledge('a', 0, 4, ACCEPT)
  assert.equal(scene.partition.isLedIn(4), true)
  assert.deepEqual(scene.take('b'), [])
  const { woken } = scene
  assert.equal(scene.partition.isLedIn(5), true)
  assert.equal(scene.woken, woken + 1)
  assert.deepEqual(scene.take('b'), ['5-9 x1'])
  refuses(ErrorCode.ERR_INVALID_RECORD_STATE, () => scene.acknowledge('a', 5, 9, ACCEPT))
  assert.equal(scene.partition.isLedIn(4), false)
})
