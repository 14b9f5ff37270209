import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ErrorCode,
  Heartbeat,
  HeartbeatServer,
  InitProducerId,
  InitProducerIdServer,
  Metadata,
  MetadataServer,
} from '@ottla/protocol'
import { transcriptJson, transcriptLines } from '../../src/replay/lines.ts'
import { transcribe } from '../../src/replay/transcript.ts'
import { Story } from './story.ts'

const story = new Story()
  .add({ event: 'lookup', client: 'alice#producer-1', host: 'b1', addresses: ['10.0.0.1'] })
  .add({ event: 'lookup', client: 'alice#producer-1', host: 'b2', addresses: [], why: 'ENOTFOUND' })
  .wait(1.5)
  .open(1)
  .wait(1)
  .ask(1, Metadata, 12, { topics: null })
  .wait(8.25)
  .answer(1, MetadataServer, 12, { brokers: [{ nodeId: 7, host: 'b1', port: 9092 }], topics: [] })
  .open(2, 'b3:9092', 'bob#consumer-2')
  .ask(2, Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' })
  .answer(2, HeartbeatServer, 4, { errorCode: ErrorCode.ERR_UNKNOWN_MEMBER_ID })
  .add({ event: 'response', connection: 2, frame: null, sizeBytes: 44 })
  .add({ event: 'closed', connection: 2, by: 'broker', why: 'reset' })

test('a line says when, who to whom, and what, in columns', () => {
  const { recording } = story
  assert.deepEqual(transcriptLines(recording.header, transcribe(recording)), [
    'recorded by ottla 0.1.0 from 2026-11-29T00:00:00.000Z on, contents are masked; times in ms',
    '',
    ' 0.000  alice > DNS       b1 is 10.0.0.1',
    ' 0.000  alice > DNS       b2 is unknown: ENOTFOUND',
    ' 1.500  alice > broker 7  connection 1 to 10.0.0.1',
    ' 1.500  alice > broker 7  connection 1 is open',
    ' 2.500  alice > broker 7  Metadata v12 #1.1  all topics',
    '10.750  broker 7 > alice  Metadata v12 #1.1  7=b1:9092  (8.3 ms)',
    '10.750  bob > b3:9092     connection 2 to 10.0.0.1',
    '10.750  bob > b3:9092     connection 2 is open',
    '10.750  bob > b3:9092     Heartbeat v4 #2.2  group g  generation 1  member m',
    '10.750  b3:9092 > bob     Heartbeat v4 #2.2  ERR_UNKNOWN_MEMBER_ID  (0.0 ms)',
    '10.750  b3:9092 > bob     a response of 44 bytes, left out when it was recorded',
    '10.750  bob > b3:9092     connection 2 closed by the broker: reset',
  ])
})

test('two clients of one id are told apart', () => {
  const { recording } = new Story().connect(1, 'b1:9092', 'a#producer-1').connect(2, 'b1:9092', 'a#producer-2')
  const [, , first, second] = transcriptLines(recording.header, transcribe(recording))
  assert.match(first ?? '', /a#producer-1 > b1:9092/)
  assert.match(second ?? '', /a#producer-2 > b1:9092/)
})

test('as JSON, every event is an object with all fields of its message', () => {
  const { recording } = new Story()
    .open(1)
    .ask(1, InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 1 })
    .wait(2)
    .answer(1, InitProducerIdServer, 5, {
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: 9_007_199_254_740_993n,
      producerEpoch: 2,
    })
  const lines = transcriptJson(transcribe(recording)).map(line => JSON.parse(line) as Record<string, unknown>)
  assert.equal(lines.length, 4)
  const { body, ...rest } = lines[3] ?? {}
  assert.deepEqual(rest, {
    ms: 2,
    event: 'response',
    connection: 1,
    client: 'alice#producer-1',
    broker: 'b1:9092',
    sizeBytes: rest['sizeBytes'],
    api: 'InitProducerId',
    version: 5,
    correlationId: 1,
    tookMs: 2,
  })
  assert.equal((body as { producerId: string }).producerId, '9007199254740993')
})

test('a recording without its beginning is shown as far as possible', () => {
  const { recording } = new Story().ask(4, Metadata, 12, { topics: [] })
  assert.match(
    transcriptLines(recording.header, transcribe(recording))[2] ?? '',
    /\? > \? {2}Metadata v12 #4\.1 {2}no topics/,
  )
})

test('a recording from elsewhere cannot take over the terminal', () => {
  const { recording } = new Story()
    .connect(1, 'b1:9092', 'alice\u001b[2J#producer-1')
    .add({ event: 'refused', connection: 1, why: 'a\nb' })
  const lines = transcriptLines(recording.header, transcribe(recording))
  assert.match(lines[2] ?? '', /alice\\x1b\[2J > b1:9092/)
  assert.match(lines[3] ?? '', /refused: a\\x0ab$/)
})
