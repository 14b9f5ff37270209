import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRecording, recordingEventLine, recordingHeaderLine, type RecordingEvent } from '@ottla/protocol'

const header = { startedAt: '2026-11-29T00:00:00.000Z', by: 'ottla 0.1.0', payloads: 'mask' } as const
const events: readonly RecordingEvent[] = [
  { ms: 0, event: 'lookup', client: 'alice', host: 'localhost', addresses: ['127.0.0.1'] },
  { ms: 0.5, event: 'lookup', client: 'alice', host: 'nowhere', addresses: [], why: 'ENOTFOUND' },
  { ms: 1, event: 'connect', connection: 1, client: 'alice', broker: 'localhost:9092', address: '127.0.0.1' },
  { ms: 2, event: 'open', connection: 1 },
  { ms: 3.125, event: 'request', connection: 1, frame: Buffer.from([1, 2, 3]), sizeBytes: 3 },
  { ms: 4, event: 'response', connection: 1, frame: null, sizeBytes: 9 },
  { ms: 5, event: 'closed', connection: 1, by: 'broker', why: 'the broker closed the connection' },
]
const text = recordingHeaderLine(header) + events.map(recordingEventLine).join('')

test('a recording is read as it was written', () => {
  assert.deepEqual(parseRecording(text), { header, events, isCut: false })
})

test('a line that was not written to its end is left out', () => {
  assert.deepEqual(parseRecording(text.slice(0, -10)), { header, events: events.slice(0, -1), isCut: true })
})

test('unknown fields are no mistake', () => {
  const { events: read } = parseRecording(
    `${recordingHeaderLine(header)}{"ms":1,"event":"open","connection":1,"new":2}\n`,
  )
  assert.deepEqual(read, [{ ms: 1, event: 'open', connection: 1 }])
})

test('what is not a recording is refused with the reason', () => {
  assert.throws(() => parseRecording(''), /not a recording/)
  assert.throws(() => parseRecording('{"name":"package"}\n'), /not a recording/)
  assert.throws(() => parseRecording('{"ottla":"wire recording","version":2}\n'), /version 2; version 1 is known/)
  const bad =
    (line: string): (() => unknown) =>
    () =>
      parseRecording(`${recordingHeaderLine(header)}${line}\n`)
  assert.throws(bad('{'), /line 2 is not an object/)
  assert.throws(bad('{"ms":1,"event":"jump"}'), /line 2 has an event 'jump'/)
  assert.throws(bad('{"ms":1,"event":"open"}'), /line 2 has no number 'connection'/)
  assert.throws(bad('{"ms":1,"event":"request","connection":1,"sizeBytes":1}'), /line 2 has no text 'frame'/)
})
