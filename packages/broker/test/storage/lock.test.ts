import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lock } from '../../src/storage/lock.ts'
import { newFolder } from './folder.ts'

test('a folder is locked once within a process, and free after its release', () => {
  const folder = newFolder()
  const path = join(folder, 'lock')
  const unlock = lock(folder, path)
  assert.equal(readFileSync(path, 'utf8'), String(process.pid))
  assert.throws(
    () => lock(folder, join(folder, '.', 'lock')),
    new RegExp(`in use by the cluster of process ${process.pid}`),
  )
  unlock()
  assert.equal(existsSync(path), false)
  lock(folder, path)()
})

test('the lock of a process that runs is respected, that of one that has ended is not', () => {
  const folder = newFolder()
  const path = join(folder, 'lock')
  writeFileSync(path, String(process.ppid))
  assert.throws(() => lock(folder, path), new RegExp(`dataDir .* is in use by the cluster of process ${process.ppid}`))
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  writeFileSync(path, String(pid))
  lock(folder, path)()
})

test('a lock file without a process id locks nothing', () => {
  const folder = newFolder()
  const path = join(folder, 'lock')
  for (const contents of ['', 'x', '0', '-1', String(process.pid)]) {
    writeFileSync(path, contents)
    lock(folder, path)()
  }
})
