import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AlterUserScramCredentials,
  ApiVersions,
  BatchReader,
  CreateDelegationToken,
  CreateDelegationTokenServer,
  DescribeDelegationToken,
  DescribeDelegationTokenServer,
  ExpireDelegationToken,
  Fetch,
  FetchServer,
  FrameMask,
  IncrementalAlterConfigs,
  Metadata,
  MetadataServer,
  Produce,
  ProduceServer,
  Reader,
  RenewDelegationToken,
  SaslAuthenticate,
  SaslAuthenticateServer,
  ShareFetch,
  ShareFetchServer,
  crc32c,
  encodeControlBatch,
  encodeRequest,
  encodeResponse,
  maskReady,
  readRequestHeader,
  type Api,
  type CodecName,
  type FetchRequest,
  type FetchResponse,
  type ServerApi,
} from '@ottla/protocol'
import { batchOf, frameOf } from './talk.ts'

const codecs: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const secret = Buffer.from('a very secret thing')

function requestFrame<Req, Res>(api: Api<Req, Res>, version: number, body: Req): Buffer {
  return frameOf(encodeRequest(api, version, 7, 'alice', body))
}

/** The answer to a request with an empty body, masked. */
function maskedResponse<Req, Res>(
  api: Api<Req, Res> & ServerApi<Req, Res>,
  version: number,
  [request, response]: [Req, Res],
  mask = new FrameMask('mask'),
): Buffer {
  mask.request(requestFrame(api, version, request))
  const masked = mask.response(frameOf(encodeResponse(api, version, 7, response)))
  assert.ok(masked !== null)
  return masked
}

const fetchRequest: FetchRequest = { maxWaitMs: 1, minBytes: 1, topics: [] }

function fetched(records: Buffer): FetchResponse {
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, abortedTransactions: null, records }
  return { throttleTimeMs: 0, responses: [{ topic: 'orders', partitions: [partition] }] }
}

/** The records of a fetch, after masking. */
function maskedRecords(records: Buffer): Buffer {
  const frame = maskedResponse({ ...Fetch, ...FetchServer }, 11, [fetchRequest, fetched(records)])
  const r = new Reader(frame, 4)
  return Fetch.readResponse(r, 11).responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)
}

for (const codec of codecs) {
  test(`a masked batch is another of the same records and sizes (${codec})`, async () => {
    await maskReady()
    const before = Buffer.concat([batchOf(['one', 'three'], codec, 5), batchOf(['x'.repeat(5000)], codec)])
    const after = maskedRecords(before)
    const was = new BatchReader(before)
    const is = new BatchReader(after)
    for (let batch = was.next(); batch !== null; batch = was.next()) {
      const masked = is.next()
      assert.ok(masked !== null)
      assert.ok(masked.isCrcValid())
      for (const name of [
        'baseOffset',
        'lastOffset',
        'codecId',
        'producerId',
        'producerEpoch',
        'baseSequence',
      ] as const)
        assert.equal(masked[name], batch[name], name)
      const [plain, filled] = [batch.records(), masked.records()]
      while (plain.next()) {
        assert.ok(filled.next())
        assert.equal(filled.timestamp, plain.timestamp)
        assert.equal(filled.offset, plain.offset)
        assert.equal(filled.sizeBytes, plain.sizeBytes)
        assert.equal(filled.key()?.toString(), 'x'.repeat(plain.keyLength))
        assert.equal(filled.value()?.toString(), 'x'.repeat(plain.valueLength))
        const header = plain.headers()[0]?.value?.length ?? 0
        assert.deepEqual(filled.headers(), [{ key: 'trace', value: Buffer.alloc(header, 'x') }])
      }
      assert.equal(filled.next(), false)
    }
    assert.equal(is.next(), null)
  })
}

test('a batch with a wrong checksum has a wrong one afterwards', () => {
  const batch = batchOf(['one'])
  batch.writeUInt32BE((batch.readUInt32BE(17) ^ 5) >>> 0, 17)
  const masked = new BatchReader(maskedRecords(batch)).next()
  assert.equal(masked?.isCrcValid(), false)
  assert.equal(masked.sizeBytes, batch.length)
  assert.deepEqual(new Set(masked.buffer.subarray(61)), new Set(Buffer.from('x')))
})

test('markers of transactions stay, a content behind the type of one does not', () => {
  const marker = encodeControlBatch({
    type: 'commit',
    producerId: 1n,
    producerEpoch: 0,
    coordinatorEpoch: 3,
    timestamp: 1,
  })
  assert.deepEqual(maskedRecords(Buffer.from(marker)), Buffer.from(marker))
  const fake = batchOf(['a content that claims to be a marker'])
  fake.writeInt16BE(fake.readInt16BE(21) | 0x20, 21)
  assert.equal(maskedRecords(fake).length, 0)
})

test('what is no batch, or a truncated one, is left out; those before it stay', () => {
  const good = batchOf(['one'])
  assert.equal(maskedRecords(Buffer.concat([good, good.subarray(0, -1)])).length, good.length)
  assert.equal(maskedRecords(Buffer.concat([good, Buffer.alloc(40, 'a content')])).length, good.length)
  const corrupt = batchOf(['one'], 'gzip')
  corrupt.fill(0xff, 61)
  corrupt.writeUInt32BE(crc32c(corrupt, 21, corrupt.length), 17)
  assert.equal(maskedRecords(Buffer.concat([corrupt, good])).length, good.length)
})

test('no content survives, whatever the bytes of a batch are changed to', () => {
  const value = 'CONTENT-'.repeat(6)
  const position = fc.nat(batchOf([value]).length - 1)
  fc.assert(
    fc.property(fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 4 }), changes => {
      const batch = batchOf([value])
      for (const [at, byte] of changes) batch[at] = byte
      const masked = maskedRecords(batch)
      assert.equal(masked.includes('CONTENT-CONTENT-'), false)
    }),
    { numRuns: 2000 },
  )
})

test('contents are kept on demand, credentials never', () => {
  const mask = new FrameMask('keep')
  const produce = requestFrame(Produce, 11, {
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['one']) }] }],
  })
  assert.equal(mask.request(produce), produce)
  assert.equal(new FrameMask('mask').request(produce)?.includes('key of one'), false)
  const token = requestFrame(SaslAuthenticate, 2, { authBytes: secret })
  assert.equal(mask.request(token)?.includes(secret), false)
})

test('tokens, passwords and settings of brokers are masked', () => {
  const mask = new FrameMask('mask')
  const configs = [{ name: 'ssl.key.password', configOperation: 0, value: secret.toString() }]
  const upsertion = { name: 'u', mechanism: 1, iterations: 4096, salt: secret, saltedPassword: secret }
  const frames = [
    requestFrame(SaslAuthenticate, 0, { authBytes: secret }),
    requestFrame(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion] }),
    requestFrame(RenewDelegationToken, 2, { hmac: secret, renewPeriodMs: 1 }),
    requestFrame(ExpireDelegationToken, 2, { hmac: secret, expiryTimePeriodMs: 1 }),
    requestFrame(IncrementalAlterConfigs, 1, {
      resources: [{ resourceType: 4, resourceName: '1', configs }],
      validateOnly: false,
    }),
  ]
  for (const frame of frames) {
    assert.ok(frame.includes(secret))
    assert.equal(mask.request(frame)?.includes(secret), false)
  }
  const topic = requestFrame(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: 'orders', configs: [{ ...configs[0]!, name: 'retention.ms' }] }],
    validateOnly: false,
  })
  assert.deepEqual(mask.request(topic), topic)
  const answer = maskedResponse({ ...SaslAuthenticate, ...SaslAuthenticateServer }, 2, [
    { authBytes: secret },
    { errorCode: 0, errorMessage: null, authBytes: secret, sessionLifetimeMs: 5 },
  ])
  assert.equal(answer.includes(secret), false)
  const who = { principalType: 'User', principalName: 'alice' }
  const times = { issueTimestampMs: 1, expiryTimestampMs: 1, maxTimestampMs: 1, throttleTimeMs: 0 }
  const created = maskedResponse({ ...CreateDelegationToken, ...CreateDelegationTokenServer }, 3, [
    { renewers: [], maxLifetimeMs: 1 },
    { errorCode: 0, ...who, ...times, tokenId: 't', hmac: secret },
  ])
  assert.equal(created.includes(secret), false)
  const tokens = [
    { ...who, issueTimestamp: 1, expiryTimestamp: 1, maxTimestamp: 1, tokenId: 't', hmac: secret, renewers: [] },
  ]
  const described = maskedResponse({ ...DescribeDelegationToken, ...DescribeDelegationTokenServer }, 3, [
    { owners: null },
    { errorCode: 0, tokens, throttleTimeMs: 0 },
  ])
  assert.equal(described.includes(secret), false)
})

test('what a share consumer got is masked, too', () => {
  const partition = {
    partitionIndex: 0,
    errorCode: 0,
    acknowledgeErrorCode: 0,
    currentLeader: { leaderId: 1, leaderEpoch: 1 },
    records: batchOf(['one']),
    acquiredRecords: [],
  }
  const topicId = 'b3JkZXJzb3JkZXJzb3JkZQ'
  const answer = maskedResponse({ ...ShareFetch, ...ShareFetchServer }, 1, [
    {
      memberId: 'm',
      shareSessionEpoch: 0,
      maxWaitMs: 1,
      minBytes: 1,
      maxBytes: 1,
      maxRecords: 1,
      batchSize: 1,
      topics: [],
      forgottenTopicsData: [],
    },
    {
      throttleTimeMs: 0,
      errorCode: 0,
      acquisitionLockTimeoutMs: 1,
      responses: [{ topicId, partitions: [partition] }],
      nodeEndpoints: [],
    },
  ])
  assert.equal(answer.includes('key of one'), false)
})

test('frames that are no Kafka are left out', () => {
  const mask = new FrameMask('keep')
  for (const bytes of ['\0alice\0secret', 'n,,n=alice,r=nonce', '', 'x']) {
    assert.equal(mask.request(Buffer.from(bytes)), null)
    assert.equal(mask.response(Buffer.from(bytes)), null)
  }
  const metadata = requestFrame(Metadata, 12, { topics: null })
  metadata.writeInt16BE(99, 2)
  assert.equal(mask.request(metadata), null)
})

test('what needs no mask is the same frame', () => {
  const mask = new FrameMask('mask')
  const request = requestFrame(Metadata, 12, { topics: null })
  assert.equal(mask.request(request), request)
  const response = frameOf(encodeResponse(MetadataServer, 12, 7, { brokers: [], topics: [] }))
  assert.equal(mask.response(response), response)
  assert.equal(mask.response(response), null, 'nobody asked for it')
})

test('masked requests keep their header and version', () => {
  const mask = new FrameMask('mask')
  const body = { acks: 0, timeoutMs: 1, topicData: [] }
  const frame = mask.request(requestFrame(Produce, 11, body))
  assert.ok(frame !== null)
  const r = new Reader(frame)
  assert.deepEqual(
    readRequestHeader(r, () => 9),
    { apiKey: 0, apiVersion: 11, correlationId: 7, clientId: 'alice' },
  )
  assert.equal(ProduceServer.readRequest(r, 11).acks, 0)
  assert.ok(mask.request(requestFrame(ApiVersions, 4, {})))
})
