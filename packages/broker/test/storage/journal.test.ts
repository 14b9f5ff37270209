import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { FilePool } from '../../src/storage/file-pool.ts'
import { Journal } from '../../src/storage/journal.ts'
import { newFolder } from './folder.ts'

function open(path: string): Journal<unknown> {
  return new Journal(path, new FilePool(false))
}

test('entries are read back in order', () => {
  const path = join(newFolder(), 'journal')
  const journal = open(path)
  assert.deepEqual(journal.read(), [])
  const entries = [{ a: 1 }, { text: 'line\nbreak and umlaut ü' }, null]
  for (const entry of entries) journal.append(entry)
  assert.deepEqual(open(path).read(), entries)
})

test('a truncated entry is left out, and new ones follow the complete ones', () => {
  const path = join(newFolder(), 'journal')
  const journal = open(path)
  journal.append('first')
  const whole = readFileSync(path)
  journal.append('second')
  const both = readFileSync(path)
  for (let length = whole.length; length < both.length; length++) {
    writeFileSync(path, both.subarray(0, length))
    const again = open(path)
    assert.deepEqual(again.read(), ['first'])
    again.append('third')
    assert.deepEqual(open(path).read(), ['first', 'third'])
  }
})

test('nothing after a damaged entry is trusted', () => {
  const path = join(newFolder(), 'journal')
  const journal = open(path)
  for (const entry of ['first', 'second', 'third']) journal.append(entry)
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('second') + 1] = 0x58
  writeFileSync(path, bytes)
  assert.deepEqual(open(path).read(), ['first'])
})

test('a rewritten journal has only the new entries, and can be appended to', () => {
  const path = join(newFolder(), 'journal')
  const journal = open(path)
  for (const entry of ['first', 'second']) journal.append(entry)
  journal.rewrite(['third'])
  journal.append('fourth')
  assert.deepEqual(open(path).read(), ['third', 'fourth'])
  appendFileSync(path, 'garbage')
  assert.deepEqual(open(path).read(), ['third', 'fourth'])
})
