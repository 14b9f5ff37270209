import { test } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../src/storage/replace-file.ts'
import { newFolder } from './folder.ts'

test('a file gets all chunks, new or not, and an unfinished attempt is no obstacle', () => {
  const path = join(newFolder(), 'file')
  writeFileSync(`${path}.tmp`, 'left over from a process that ended')
  replaceFile(path, [Buffer.from('a'), Buffer.alloc(0), Buffer.from('b')])
  assert.equal(readFileSync(path, 'utf8'), 'ab')
  replaceFile(path, [])
  assert.equal(readFileSync(path, 'utf8'), '')
  assert.equal(existsSync(`${path}.tmp`), false)
})

test('a failure leaves the old contents', () => {
  const path = join(newFolder(), 'file')
  replaceFile(path, [Buffer.from('old')])
  function* failing(): Generator<Buffer> {
    yield Buffer.from('new')
    throw new Error('the disk is full')
  }
  assert.throws(() => replaceFile(path, failing()), /the disk is full/)
  assert.equal(readFileSync(path, 'utf8'), 'old')
})
