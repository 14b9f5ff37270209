import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from 'ottla'
import { compileFormat, jsonLine, lineFormat } from '../../src/consume/format.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

function message(fields: Partial<Message> = {}): Message {
  return {
    topic: 'orders',
    partition: 3,
    offset: 42,
    leaderEpoch: 0,
    timestamp: 1_700_000_000_000,
    timestampType: 'create-time',
    key: Buffer.from('k'),
    value: Buffer.from('hello'),
    headers: [],
    ...fields,
  }
}

function shown(format: string, fields: Partial<Message> = {}, nullText = ''): string {
  return compileFormat(format, { nullText })(message(fields)).toString('latin1')
}

test('every token of -f shows its part of the message', () => {
  assert.equal(shown('%t [%p] %o: %k=%s (%K/%S) @%T %%\\n'), 'orders [3] 42: k=hello (1/5) @1700000000000 %\n')
})

test('%R is the length as four bytes, big endian', () => {
  assert.equal(shown('%R'), '\0\0\0\x05')
  assert.equal(shown('%R', { value: null }), '\xff\xff\xff\xff')
})

test('null keys and values are empty, or NULL with -Z, and their length is -1', () => {
  assert.equal(shown('%k|%s|%K|%S', { key: null, value: null }), '||-1|-1')
  assert.equal(shown('%k|%s', { key: null, value: null }, 'NULL'), 'NULL|NULL')
})

test('headers are shown in order, with duplicates, and NULL for a missing value', () => {
  const headers = [
    { key: 'a', value: Buffer.from('1') },
    { key: 'a', value: null },
  ]
  assert.equal(shown('%h', { headers }), 'a=1,a=NULL')
})

test('values are written byte for byte', () => {
  const value = Buffer.from([0xff, 0x00, 0xfe])
  assert.deepEqual(compileFormat('%s', { nullText: '' })(message({ value })), value)
})

test('escapes in a format stand for bytes', () => {
  assert.equal(shown('\\x01\\t\\\\'), '\x01\t\\')
})

test('an unknown token or escape is wrong usage, and the error lists the valid ones', () => {
  assert.throws(
    () => shown('%q'),
    (error: unknown) => error instanceof UsageError && error.message.includes('%s'),
  )
  assert.throws(() => shown('%'), UsageError)
  assert.throws(() => shown('\\q'), UsageError)
})

test('a line is the value, with -K the key before it', () => {
  const delimiter = Buffer.from('\n')
  const plain = lineFormat({ keyDelimiter: undefined, delimiter, nullText: '' })
  assert.equal(plain(message()).toString(), 'hello\n')
  const keyed = lineFormat({ keyDelimiter: Buffer.from(':'), delimiter, nullText: 'NULL' })
  assert.equal(keyed(message({ key: null })).toString(), 'NULL:hello\n')
})

test('a JSON line has kcat’s field names', () => {
  const headers = [{ key: 'h', value: Buffer.from('v') }]
  assert.deepEqual(JSON.parse(jsonLine(message({ headers, value: null })).toString()), {
    topic: 'orders',
    partition: 3,
    offset: 42,
    tstype: 'create',
    ts: 1_700_000_000_000,
    headers: ['h', 'v'],
    key: 'k',
    payload: null,
  })
})
