import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { inputs, messageShape } from '../../src/produce/input.ts'
import type { ProduceOptions } from '../../src/produce/options.ts'
import { UsageError, type Terminal } from '../../src/terminal/terminal.ts'

const options: ProduceOptions = { topic: 'orders', partition: -1, delimiter: '\\n', header: [], property: [], file: [] }

function terminalOf(stdin: Readable, stop = new AbortController().signal): Terminal {
  return { stdin, stdout: new PassThrough(), stderr: new PassThrough(), stop }
}

async function read(given: Partial<ProduceOptions>, terminal: Terminal): Promise<string[]> {
  const values: string[] = []
  for await (const value of inputs([], { ...options, ...given }, terminal)) values.push(value.toString())
  return values
}

function shaped(given: Partial<ProduceOptions>, text: string): { key: string | null; value: string | null } {
  const { key, value } = messageShape({ ...options, ...given })(Buffer.from(text))
  return { key: key === null ? null : String(key), value: value === null ? null : String(value) }
}

test('-K splits at the first delimiter, and a line without it has the key of -k', () => {
  assert.deepEqual(shaped({ keyDelimiter: ':' }, 'a:b:c'), { key: 'a', value: 'b:c' })
  assert.deepEqual(shaped({ keyDelimiter: '::', key: 'fixed' }, 'a:b'), { key: 'fixed', value: 'a:b' })
  assert.deepEqual(shaped({}, 'a:b'), { key: null, value: 'a:b' })
})

test('empty keys and values are null with -Z only', () => {
  assert.deepEqual(shaped({ keyDelimiter: ':' }, ':'), { key: '', value: '' })
  assert.deepEqual(shaped({ keyDelimiter: ':', null: true }, ':'), { key: null, value: null })
})

test('a header may contain =, be empty, or have no value', () => {
  const { headers } = messageShape({ ...options, header: ['a=b=c', 'empty=', 'none'] })(Buffer.from('x'))
  assert.deepEqual(headers, [
    { key: 'a', value: Buffer.from('b=c') },
    { key: 'empty', value: Buffer.alloc(0) },
    { key: 'none', value: null },
  ])
  for (const header of ['', '=b']) assert.throws(() => messageShape({ ...options, header: [header] }), UsageError)
})

test('empty delimiters are wrong usage', async () => {
  assert.throws(() => messageShape({ ...options, keyDelimiter: '' }), UsageError)
  await assert.rejects(read({ delimiter: '' }, terminalOf(Readable.from([]))), UsageError)
})

test('-l without a file is wrong usage', async () => {
  await assert.rejects(read({ lines: true }, terminalOf(Readable.from([]))), UsageError)
})

test('standard input is split at the delimiter', async () => {
  assert.deepEqual(await read({ delimiter: '\\0' }, terminalOf(Readable.from(['one\0t', 'wo\0three']))), [
    'one',
    'two',
    'three',
  ])
})

test('a stop ends the input without an error', async () => {
  const stop = new AbortController()
  const stdin = new PassThrough()
  stdin.write('one\ntwo')
  const values: string[] = []
  for await (const value of inputs([], options, terminalOf(stdin, stop.signal))) {
    values.push(value.toString())
    stop.abort()
  }
  assert.deepEqual(values, ['one'])
})
