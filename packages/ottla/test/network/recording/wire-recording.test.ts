import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ApiVersions, encodeRequest, parseRecording } from '@ottla/protocol'
import { wireRecording } from '../../../src/network/recording/wire-recording.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'ottla-wire-recording-'))
after(() => rmSync(folder, { recursive: true }))

test('events have the time of the clock, and are numbered across clients', async () => {
  const clock = new FakeClock()
  using recording = wireRecording(join(folder, 'times.jsonl'), { clock })
  const alice = recording.client('alice').connecting('localhost:9092', '127.0.0.1')
  await clock.advance(5)
  alice.opened()
  const bob = recording.client('bob').connecting('localhost:9093', '127.0.0.1')
  await clock.advance(2.5)
  bob.closed('broker', 'refused')
  alice.closed('client', 'over')
  recording.close()
  const { events } = parseRecording(readFileSync(recording.file, 'utf8'))
  assert.deepEqual(events, [
    { ms: 0, event: 'connect', connection: 1, client: 'alice', broker: 'localhost:9092', address: '127.0.0.1' },
    { ms: 5, event: 'open', connection: 1 },
    { ms: 5, event: 'connect', connection: 2, client: 'bob', broker: 'localhost:9093', address: '127.0.0.1' },
    { ms: 7.5, event: 'refused', connection: 2, why: 'refused' },
    { ms: 7.5, event: 'closed', connection: 1, by: 'client', why: 'over' },
  ])
})

test('what is sent is taken at once, whatever becomes of its memory', () => {
  using recording = wireRecording(join(folder, 'memory.jsonl'))
  const connection = recording.client('alice').connecting('localhost:9092', '127.0.0.1')
  const chunks = encodeRequest(ApiVersions, 0, 1, 'alice', {})
  const frame = Buffer.concat(chunks).subarray(4)
  connection.sent(chunks)
  for (const chunk of chunks) chunk.fill(0)
  recording.close()
  const [, request] = parseRecording(readFileSync(recording.file, 'utf8')).events
  assert.deepEqual(request?.event === 'request' ? request.frame : null, frame)
})

test('a file that others could read is replaced by one that only its owner can', () => {
  const file = join(folder, 'readable.jsonl')
  writeFileSync(file, 'for everybody')
  chmodSync(file, 0o644)
  using recording = wireRecording(file)
  recording.close()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(parseRecording(readFileSync(file, 'utf8')).events, [])
})

test('what is no request is recorded by its size alone', () => {
  using recording = wireRecording(join(folder, 'no-request.jsonl'), { payloads: 'keep' })
  recording
    .client('alice')
    .connecting('b:1', 'b')
    .sent([Buffer.from('size'), Buffer.from('\0alice\0secret')])
  recording.close()
  const [, request] = parseRecording(readFileSync(recording.file, 'utf8')).events
  assert.ok(request?.event === 'request')
  assert.deepEqual({ frame: request.frame, sizeBytes: request.sizeBytes }, { frame: null, sizeBytes: 13 })
})
