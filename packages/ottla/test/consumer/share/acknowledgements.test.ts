import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PendingAcknowledgements, acknowledgeTypes, batchesOf } from '../../../src/consumer/share/acknowledgements.ts'

const { accept, release, renew } = acknowledgeTypes

test('neighbours are one batch, with one type for all or one for each', () => {
  const types = new Map([
    [7, accept],
    [5, accept],
    [6, accept],
    [9, release],
    [10, accept],
  ])
  assert.deepEqual(batchesOf(types), [
    { firstOffset: 5, lastOffset: 7, acknowledgeTypes: [accept] },
    { firstOffset: 9, lastOffset: 10, acknowledgeTypes: [release, accept] },
  ])
  assert.deepEqual(batchesOf(new Map()), [])
})

test('the last word about an offset counts', () => {
  const pending = new PendingAcknowledgements()
  pending.add(1, renew)
  assert.ok(pending.hasRenewals)
  pending.add(1, accept)
  assert.ok(!pending.hasRenewals)
  assert.deepEqual([...pending.take()], [[1, accept]])
  assert.equal(pending.size, 0)
})

test('batches have the type of each offset, whatever the mix', () => {
  const entries = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 4 })))
  fc.assert(
    fc.property(entries, list => {
      const types = new Map(list)
      const told = new Map<number, number>()
      let last = -2
      for (const { firstOffset, lastOffset, acknowledgeTypes: each } of batchesOf(types)) {
        assert.ok(firstOffset > last + 1, 'batches touch, or are out of order')
        last = lastOffset
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          told.set(offset, (each.length === 1 ? each[0] : each[offset - firstOffset]) as number) // one for each
        }
      }
      assert.deepEqual([...told].sort(), [...types].sort())
    }),
  )
})
