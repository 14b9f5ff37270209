import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressionRoom } from '../../src/compression/compression-room.ts'

test('the memory is reused while it is large enough, and a huge one is not kept', () => {
  const room = compressionRoom(1000)
  assert.equal(compressionRoom(10), room)
  const larger = compressionRoom(room.length + 1)
  assert.equal(compressionRoom(1000), larger)
  const huge = compressionRoom(4 * 1024 * 1024)
  assert.ok(huge.length >= 4 * 1024 * 1024)
  assert.equal(compressionRoom(1000), larger)
})
