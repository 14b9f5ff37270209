import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../../src/terminal/output.ts'

/** Keeps the chunks written; `fail` makes every write fail with that code. */
function sink(fail?: string): { stream: Writable; chunks: string[] } {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString())
      done(fail === undefined ? null : Object.assign(new Error(fail), { code: fail }))
    },
  })
  return { stream, chunks }
}

test('small writes are gathered until the buffer is full', async () => {
  const { stream, chunks } = sink()
  const output = new Output(stream)
  output.write('a')
  await output.pace()
  assert.equal(chunks.join(''), '')
  output.write(Buffer.alloc(64 * 1024, 'b'))
  await output.pace()
  assert.deepEqual(
    chunks.map(chunk => chunk.length),
    [64 * 1024 + 1],
  )
})

test('unbuffered output writes every message', async () => {
  const { stream, chunks } = sink()
  const output = new Output(stream, true)
  for (const text of ['a', 'b']) {
    output.write(text)
    await output.pace()
  }
  assert.deepEqual(chunks, ['a', 'b'])
})

test('the end writes the rest and detaches from the stream', async () => {
  const { stream, chunks } = sink()
  const output = new Output(stream)
  output.write('rest')
  await output.end()
  assert.deepEqual(chunks, ['rest'])
  assert.equal(stream.listenerCount('error'), 0)
})

test('a closed pipe is not an error: later writes are dropped', async () => {
  const { stream, chunks } = sink('EPIPE')
  const output = new Output(stream, true)
  output.write('a')
  await output.pace()
  assert.equal(output.closed, true)
  output.write('b')
  await output.flush()
  assert.deepEqual(chunks, ['a'])
})

test('any other failure to write rejects the next flush', async () => {
  const { stream } = sink('ENOSPC')
  const output = new Output(stream, true)
  output.write('a')
  await output.pace()
  await assert.rejects(output.flush(), { code: 'ENOSPC' })
})
