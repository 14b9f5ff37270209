import assert from 'node:assert/strict'
import { test } from 'node:test'
import { giveBuffer, takeBuffer } from '../../src/record/buffer-pool.ts'

test('buffers have a power of two bytes from 4 KiB to 1 MiB, and are exact beyond', () => {
  const sizes = [1, 4096, 4097, 2 ** 20, 2 ** 20 + 1].map(bytes => takeBuffer(bytes).length)
  assert.deepEqual(sizes, [4096, 4096, 8192, 2 ** 20, 2 ** 20 + 1])
})

test('a returned buffer serves the next request of its size, and only that', () => {
  const buffer = takeBuffer(10_000)
  giveBuffer(buffer)
  assert.notEqual(takeBuffer(8192), buffer)
  assert.equal(takeBuffer(16_000), buffer)
  assert.notEqual(takeBuffer(16_000), buffer)
})

test('buffers beyond 1 MiB, and more than 32 MiB together, are not kept', () => {
  giveBuffer(takeBuffer(2 ** 20 + 1))
  const buffers = Array.from({ length: 40 }, () => takeBuffer(2 ** 20))
  for (const buffer of buffers) giveBuffer(buffer)
  const again = Array.from({ length: 40 }, () => takeBuffer(2 ** 20))
  const reused = again.filter(buffer => buffers.includes(buffer)).length
  assert.ok(reused > 0 && reused <= 32, `${reused} were kept`)
})
