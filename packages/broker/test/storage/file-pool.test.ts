import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FilePool } from '../../src/storage/file-pool.ts'
import { newFolder } from './folder.ts'

test('more files can be appended to than are open at once', t => {
  const folder = newFolder()
  const files = new FilePool(false)
  t.after(() => files.closeAll())
  const paths = Array.from({ length: 300 }, (_, i) => join(folder, String(i)))
  for (const [round, text] of ['a', 'b'].entries()) {
    for (const path of paths) files.append(path, Buffer.from(text), round)
  }
  assert.ok(paths.every(path => readFileSync(path, 'utf8') === 'ab'))
})

test('a closed file can be deleted and started again', () => {
  for (const fsync of [false, true]) {
    const path = join(newFolder(), 'file')
    const files = new FilePool(fsync)
    files.append(path, Buffer.from('old'), 0)
    files.close(path)
    rmSync(path)
    files.append(path, Buffer.from('new'), 0)
    files.closeAll()
    assert.equal(readFileSync(path, 'utf8'), 'new')
  }
})
