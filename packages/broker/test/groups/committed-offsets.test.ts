import { test } from 'node:test'
import assert from 'node:assert/strict'
import { CommittedOffsets } from '../../src/groups/committed-offsets.ts'

test('every change is reported once, and a deletion only of what was there', () => {
  const changes: string[] = []
  const offsets = new CommittedOffsets((key, offset) => void changes.push(`${key} ${offset?.offset ?? 'gone'}`))
  const at = (offset: number): { offset: number; leaderEpoch: number; metadata: null } => ({
    offset,
    leaderEpoch: -1,
    metadata: null,
  })
  offsets.set('a', at(1)).set('b', at(2))
  offsets.delete('missing')
  offsets.delete('a')
  offsets.set('c', at(3))
  offsets.clear()
  assert.deepEqual(changes, ['a 1', 'b 2', 'a gone', 'c 3', 'b gone', 'c gone'])
  assert.equal(offsets.size, 0)
})
