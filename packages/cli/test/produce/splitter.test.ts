import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Splitter } from '../../src/produce/splitter.ts'

function split(delimiter: string, chunks: readonly string[]): string[] {
  const splitter = new Splitter(Buffer.from(delimiter))
  const messages = chunks.flatMap(chunk => splitter.push(Buffer.from(chunk)))
  return [...messages, ...splitter.end()].map(String)
}

test('a stream is cut at each delimiter, whatever the chunks', () => {
  const text = 'one\ntwo\n\nfour\n'
  for (let size = 1; size <= text.length; size++) {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    assert.deepEqual(split('\n', chunks), ['one', 'two', '', 'four'], `chunks of ${size}`)
  }
})

test('a delimiter of several bytes may straddle chunks', () => {
  const text = 'one--two----four--'
  for (let size = 1; size <= text.length; size++) {
    const chunks = text.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
    assert.deepEqual(split('--', chunks), ['one', 'two', '', 'four'], `chunks of ${size}`)
  }
})

test('what follows the last delimiter is a message, unless it is empty', () => {
  assert.deepEqual(split('\n', ['one\ntw', 'o']), ['one', 'two'])
  assert.deepEqual(split('\n', ['']), [])
})
