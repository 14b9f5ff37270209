/** Every API that the cluster serves, in every version that it claims to support. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import * as protocol from '@ottla/protocol'
import { type ApiKey, ApiVersions, ErrorCode, ProtocolError, apis, type Api, type Decoded } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { batch, requestBodies, type RequestBodies } from '../request-bodies.ts'
import { WireClient } from '../wire-client.ts'

let cluster: EmbeddedCluster
let client: WireClient
let bodies: RequestBodies = {}

before(async () => {
  cluster = await EmbeddedCluster.start({ acls: [], superUsers: ['User:ANONYMOUS'], onTelemetry: () => undefined })
  cluster.createTopic('t', { partitions: 2 })
  client = await WireClient.connect(cluster.bootstrapServers)
  const metadata = await client.ask(protocol.Metadata, 12, { topics: [{ name: 't' }] })
  bodies = requestBodies(metadata.topics[0]?.topicId ?? '')
})

after(async () => {
  client.close()
  await cluster.close()
})

test('a client can read every response, about existing and about missing things', async () => {
  const versions: Decoded<protocol.ApiVersionsResponse> = await client.ask(ApiVersions, 3, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  })
  assert.ok(versions.apiKeys.length >= 30)
  for (const { apiKey, minVersion, maxVersion } of versions.apiKeys) {
    const name = apis.find(api => api.key === apiKey)?.name as keyof typeof ApiKey
    const api = (protocol as unknown as Record<string, Api<object, object>>)[name]
    const make = bodies[name]
    assert.ok(api !== undefined && make !== undefined, `there is no request for ${name}`)
    for (let version = Math.max(minVersion, api.minVersion); version <= maxVersion; version++) {
      for (const body of make(version)) {
        // A failed authentication ends the connection, so this gets one of its own.
        const own = name.startsWith('Sasl') ? await WireClient.connect(cluster.bootstrapServers) : null
        try {
          assert.ok(await (own ?? client).ask(api, version, body), `${name} ${version}`)
        } catch (error) {
          const why = error instanceof ProtocolError || error instanceof Error ? error.message : String(error)
          assert.fail(`${name} version ${version}: ${why} for ${JSON.stringify(body)}`)
        } finally {
          own?.close()
        }
      }
    }
  }
})

test('old versions of Produce are told of, which older librdkafkas look for before they compress', async () => {
  const { apiKeys } = await client.ask(ApiVersions, 2, {})
  assert.equal(apiKeys.find(({ apiKey }) => apiKey === protocol.ApiKey.Produce)?.minVersion, 0)
})

test('a future version of ApiVersions is answered in version 0 with the supported range', async () => {
  const own = await WireClient.connect(cluster.bootstrapServers)
  const future: typeof ApiVersions = {
    ...ApiVersions,
    maxVersion: 99,
    readResponse: r => ApiVersions.readResponse(r, 0),
  }
  const answer = await own.ask({ ...future, writeRequest: (w, m) => ApiVersions.writeRequest(w, m, 4) }, 99, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  })
  assert.equal(answer.errorCode, ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(answer.apiKeys[0]?.apiKey, ApiVersions.key)
  own.close()
})

test('garbage, oversized frames and incomplete requests end their connection and nothing else', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x7f, 0xff, 0xff, 0xff]),
    Buffer.from([0, 0, 0, 2, 1, 2]),
  ]) {
    const own = await WireClient.connect(cluster.bootstrapServers)
    own.write(bytes)
    await own.closed
  }
  const half = await WireClient.connect(cluster.bootstrapServers)
  half.write(Buffer.from([0, 0, 1, 0, 1, 2]))
  half.close()
  await half.closed
  assert.ok(await client.ask(protocol.DescribeCluster, 0, { includeClusterAuthorizedOperations: false }))
})

test('a fetch waits for data and is woken by it', async () => {
  const reader = await WireClient.connect(cluster.bootstrapServers)
  cluster.createTopic('wake', { partitions: 1 })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }]
  const waiting = reader.ask(protocol.Fetch, 12, {
    maxWaitMs: 60_000,
    minBytes: 1,
    topics: [{ topic: 'wake', partitions }],
  })
  const topicData = [{ name: 'wake', partitionData: [{ index: 0, records: batch() }] }]
  await client.ask(protocol.Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const answer = await waiting
  assert.equal(answer.responses[0]?.partitions[0]?.highWatermark, 1)
  reader.close()
})

test('requests without permission are refused as by a broker', async () => {
  const strict = await EmbeddedCluster.start({ acls: [] })
  strict.createTopic('t', { partitions: 1 })
  const own = await WireClient.connect(strict.bootstrapServers)
  const metadata = await own.ask(protocol.Metadata, 9, { topics: [{ name: 't' }, { name: 'missing' }] })
  for (const topic of metadata.topics) assert.equal(topic.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const all = await own.ask(protocol.Metadata, 9, { topics: null })
  assert.deepEqual(all.topics, [])
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch() }] }]
  const produced = await own.ask(protocol.Produce, 9, { acks: 1, timeoutMs: 1000, topicData })
  assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const found = await own.ask(protocol.FindCoordinator, 3, { key: 'g' })
  assert.equal(found.errorCode, ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  const acls = await own.ask(protocol.DescribeAcls, 3, {
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 3,
  })
  assert.equal(acls.errorCode, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
  own.close()
  await strict.close()
})
