import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AlterUserScramCredentials,
  ApiVersions,
  ApiVersionsServer,
  CreateTopics,
  CreateTopicsServer,
  ErrorCode,
  ClusterNames,
  Conversation,
  Fetch,
  FetchServer,
  Heartbeat,
  JoinGroup,
  JoinGroupServer,
  Metadata,
  MetadataServer,
  OffsetCommit,
  Produce,
  ProduceServer,
  SaslAuthenticate,
  ShareAcknowledge,
  ZERO_UUID,
  apis,
  encodeRequest,
  messageWords,
  wireApi,
} from '@ottla/protocol'
import { batchOf, frameOf, Talk } from './talk.ts'

const ordersId = 'b3JkZXJzb3JkZXJzb3JkZQ'

test('a produce and its answer name partitions, records, sequences and offsets', () => {
  const talk = new Talk()
  const partitionData = [{ index: 0, records: batchOf(['a', 'b', 'c'], 'gzip', 5) }]
  assert.equal(
    talk.ask(Produce, 11, { acks: -1, timeoutMs: 1000, topicData: [{ name: 'orders', partitionData }] }),
    'Produce v11 acks=-1 orders[0] 3 records seq 5..7 gzip',
  )
  const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 41 }]
  assert.equal(
    talk.answer(ProduceServer, 11, { responses: [{ name: 'orders', partitionResponses }] }),
    'Produce v11 orders[0] offset 41',
  )
})

test('topics are named by what metadata said of their ids', () => {
  const talk = new Talk()
  const fetch = {
    maxWaitMs: 500,
    minBytes: 1,
    sessionEpoch: 0,
    topics: [{ topicId: ordersId, partitions: [{ partition: 2, fetchOffset: 42, partitionMaxBytes: 1 }] }],
  }
  assert.equal(talk.ask(Fetch, 16, fetch), `Fetch v16 new session ${ordersId}[2] from 42 waits 500 ms`)
  talk.ask(Metadata, 12, { topics: [{ name: 'orders' }] })
  const partitions = [{ errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }]
  assert.equal(
    talk.answer(MetadataServer, 12, {
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
      controllerId: 1,
      topics: [{ errorCode: 0, name: 'orders', topicId: ordersId, partitions }],
    }),
    'Metadata v12 1=localhost:9092 controller 1 orders led by 1',
  )
  assert.equal(talk.ask(Fetch, 16, fetch), 'Fetch v16 new session orders[2] from 42 waits 500 ms')
  const records = Buffer.concat([batchOf(['a']), batchOf(['b', 'c'])])
  const found = { partitionIndex: 2, errorCode: 0, highWatermark: 45, abortedTransactions: null, records }
  assert.equal(
    talk.answer(FetchServer, 16, {
      throttleTimeMs: 0,
      sessionId: 7,
      responses: [{ topicId: ordersId, partitions: [found] }],
    }),
    'Fetch v16 session 7 orders[2] 1 record 0 + 2 records 0..1, high watermark 45',
  )
  assert.equal(talk.names.broker('localhost:9092'), 'broker 1')
  assert.equal(talk.names.broker('localhost:9093'), 'localhost:9093')
})

test('errors have their names', () => {
  const talk = new Talk()
  talk.ask(JoinGroup, 9, {
    groupId: 'g',
    sessionTimeoutMs: 1,
    memberId: '',
    protocolType: 'consumer',
    protocols: [],
  })
  const refused = { errorCode: ErrorCode.ERR_MEMBER_ID_REQUIRED, leader: '', memberId: 'm-1', members: [] }
  assert.equal(
    talk.answer(JoinGroupServer, 9, { ...refused, protocolName: null }),
    'JoinGroup v9 ERR_MEMBER_ID_REQUIRED member m-1',
  )
  const topic = { name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const asked = talk.ask(CreateTopics, 7, { topics: [topic], timeoutMs: 100 })
  assert.equal(asked, 'CreateTopics v7 topics (1) timeoutMs=100')
  const exists = { name: 'orders', errorCode: ErrorCode.ERR_TOPIC_ALREADY_EXISTS, errorMessage: null }
  assert.equal(
    talk.answer(CreateTopicsServer, 7, { throttleTimeMs: 0, topics: [{ ...exists, topicId: ZERO_UUID }] }),
    'CreateTopics v7 topics (1) topics[0] ERR_TOPIC_ALREADY_EXISTS',
  )
})

test('credentials and contents are not in the words', () => {
  const talk = new Talk()
  assert.equal(
    talk.ask(SaslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0secret') }),
    'SaslAuthenticate v2 (masked)',
  )
  const upsertion = {
    name: 'u',
    mechanism: 1,
    iterations: 1,
    salt: Buffer.alloc(1),
    saltedPassword: Buffer.from('secret'),
  }
  assert.equal(
    talk.ask(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion] }),
    'AlterUserScramCredentials v0 upsertions (1)',
  )
})

test('groups, commits and acknowledgements are told by their members and offsets', () => {
  const talk = new Talk()
  assert.equal(
    talk.ask(Heartbeat, 4, { groupId: 'g', generationId: 3, memberId: 'm-1', groupInstanceId: 'one' }),
    'Heartbeat v4 group g generation 3 member m-1 (one)',
  )
  const partitions = [{ partitionIndex: 0, committedOffset: 42, committedMetadata: null }]
  assert.equal(
    talk.ask(OffsetCommit, 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: 3,
      memberId: 'm-1',
      topics: [{ name: 'orders', partitions }],
    }),
    'OffsetCommit v8 group g generation 3 orders[0] at 42',
  )
  const acknowledgementBatches = [{ firstOffset: 3, lastOffset: 5, acknowledgeTypes: [1] }]
  assert.equal(
    talk.ask(ShareAcknowledge, 1, {
      groupId: 's',
      memberId: 'm-2',
      shareSessionEpoch: 2,
      topics: [{ topicId: ordersId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }],
    }),
    `ShareAcknowledge v1 group s member m-2 session epoch 2 ${ordersId}[0] accept 3..5`,
  )
})

test('long lists are cut', () => {
  const names = Array.from({ length: 30 }, (_, i) => ({ name: `t${i}` }))
  assert.equal(new Talk().ask(Metadata, 12, { topics: names }), 'Metadata v12 t0, t1, t2, t3, t4, 25 more')
})

test('frames that are no messages are told by their size', () => {
  const talk = new Talk()
  const why = (kind: 'request' | 'response', bytes: Buffer): string => talk.told(kind, bytes)
  assert.match(
    why('request', Buffer.from('\0alice\0secret')),
    /^\? 13 bytes that are not a request: its API is unknown$/,
  )
  assert.match(
    why('response', Buffer.alloc(9)),
    /^\? 9 bytes that are not a response: no request has the correlation id 0$/,
  )
  const request = frameOf(encodeRequest(ApiVersions, 4, 1, 'alice', {}))
  assert.match(why('request', Buffer.concat([request, Buffer.from('more')])), /4 bytes are left over/)
  assert.match(why('request', request.subarray(0, -1)), /not a request/)
})

test('an answer in version 0 to a newer ApiVersions is read', () => {
  const talk = new Talk()
  talk.ask(ApiVersions, 4, {})
  assert.equal(
    talk.answer(ApiVersionsServer, 0, { errorCode: ErrorCode.ERR_UNSUPPORTED_VERSION, apiKeys: [] }),
    'ApiVersions v0 ERR_UNSUPPORTED_VERSION 0 APIs',
  )
})

test('a produce with acks=0 leaves no answer to wait for', () => {
  const talk = new Talk()
  talk.ask(Produce, 11, { acks: 0, timeoutMs: 1, topicData: [] })
  assert.match(talk.answer(ProduceServer, 11, { responses: [] }), /no request has the correlation id 12/)
})

test('every API is there with both sides', () => {
  for (const { key, name } of apis) {
    const api = wireApi(key)
    assert.equal(api?.name, name)
    assert.equal(typeof api.readRequest, 'function')
    assert.equal(typeof api.writeRequest, 'function')
  }
})

test('whatever the bytes of a frame are changed to, there are words for it', () => {
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1 }]
  const requests = [
    encodeRequest(Produce, 11, 1, 'alice', {
      acks: -1,
      timeoutMs: 1,
      topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['a', 'b'], 'gzip', 5) }] }],
    }),
    encodeRequest(Fetch, 12, 2, 'alice', { maxWaitMs: 1, minBytes: 1, topics: [{ topic: 'orders', partitions }] }),
    encodeRequest(Metadata, 12, 3, 'alice', { topics: [{ name: 'orders' }] }),
    encodeRequest(Heartbeat, 4, 4, 'alice', { groupId: 'g', generationId: 1, memberId: 'm' }),
  ].map(frameOf)
  const change = fc.tuple(fc.nat(400), fc.nat(255))
  fc.assert(
    fc.property(
      fc.constantFrom(...requests),
      fc.array(change, { maxLength: 5 }),
      fc.uint8Array(),
      (frame, changes, response) => {
        const changed = Buffer.from(frame)
        for (const [at, byte] of changes) changed[at % changed.length] = byte
        const conversation = new Conversation()
        const names = new ClusterNames()
        for (const message of [
          conversation.request(changed),
          conversation.response(Buffer.concat([changed.subarray(4, 8), response])),
        ]) {
          if (message.api !== null) names.learn(message)
          assert.ok(messageWords(message, names).length > 0)
        }
      },
    ),
    { numRuns: 3000 },
  )
})
