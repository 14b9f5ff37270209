import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ApiVersions,
  ApiVersionsServer,
  FrameSplitter,
  ListGroups,
  Metadata,
  MetadataServer,
  Produce,
  ProtocolError,
  Reader,
  apis,
  encodeRequest,
  encodeResponse,
  readRequestHeader,
  readResponseHeader,
} from '@ottla/protocol'

const flexibleFrom = (key: number): number => apis.find(api => api.key === key)?.flexibleFrom ?? 0x7fff

function frame(payload: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(payload.length)
  return Buffer.concat([size, payload])
}

test('frames are complete, however the stream was split', () => {
  const payloads = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('x'.repeat(1000)), Buffer.from('last')]
  const stream = Buffer.concat(payloads.map(frame))
  for (const step of [1, 2, 3, 5, 7, 64, stream.length]) {
    const splitter = new FrameSplitter(1000)
    const frames: string[] = []
    for (let at = 0; at < stream.length; at += step) {
      splitter.push(stream.subarray(at, at + step), each => frames.push(each.toString()))
    }
    assert.deepEqual(frames, payloads.map(String), `in steps of ${step}`)
  }
})

test('a frame over the limit or of negative size is refused before anything is allocated', () => {
  const push = (size: number) => () => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(size)
    new FrameSplitter(1000).push(bytes, () => undefined)
  }
  assert.throws(push(1001), ProtocolError)
  assert.throws(push(-1), ProtocolError)
  // "HTTP" read as a size.
  assert.throws(() => new FrameSplitter(1e8).push(Buffer.from('HTTP/1.1 400'), () => undefined), /1213486160 bytes/)
})

test('a request is read as it was written, header and body', () => {
  for (const version of [4, Metadata.maxVersion]) {
    const body = { topics: [{ name: 'orders' }], allowAutoTopicCreation: true }
    const bytes = Buffer.concat(encodeRequest(Metadata, version, 77, 'me', body))
    assert.equal(bytes.readInt32BE(0), bytes.length - 4)
    const reader = new Reader(bytes, 4)
    const header = readRequestHeader(reader, flexibleFrom)
    assert.deepEqual(header, { apiKey: Metadata.key, apiVersion: version, correlationId: 77, clientId: 'me' })
    const read = MetadataServer.readRequest(reader, version)
    assert.equal(read.topics?.[0]?.name, 'orders')
    assert.equal(read.allowAutoTopicCreation, true)
    assert.equal(reader.remaining, 0)
  }
})

test('the response to ApiVersions never has tagged fields in its header, so that every client can read it', () => {
  const bytes = Buffer.concat(encodeResponse(ApiVersionsServer, 4, 5, { errorCode: 0, apiKeys: [], throttleTimeMs: 0 }))
  const reader = new Reader(bytes, 4)
  assert.equal(readResponseHeader(reader, ApiVersions, 4), 5)
  assert.deepEqual(ApiVersions.readResponse(reader, 4).apiKeys, [])
})

test('record data is passed on in its chunks, a little of it in one piece with the rest', () => {
  const records = [Buffer.alloc(5000, 1), Buffer.alloc(10_000, 2)]
  const body = { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
  const chunks = encodeRequest(Produce, 9, 1, null, body)
  assert.ok(chunks.includes(records[0] as Buffer) && chunks.includes(records[1] as Buffer))
  const whole = Buffer.concat(chunks)
  assert.equal(whole.readInt32BE(0), whole.length - 4)
  const little = { ...body, topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.from('little') }] }] }
  assert.equal(encodeRequest(Produce, 9, 1, null, little).length, 1)
})

test('a field that a version lacks is refused if dropping it would change the request', () => {
  const body = { statesFilter: ['Stable'] }
  assert.throws(() => encodeRequest(ListGroups, 3, 1, null, body), /ListGroupsRequest.statesFilter cannot be sent/)
  assert.ok(encodeRequest(ListGroups, 4, 1, null, body))
})
