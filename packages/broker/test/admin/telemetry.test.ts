import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  ApiKey,
  ApiVersions,
  ErrorCode,
  GetTelemetrySubscriptions,
  IncrementalAlterConfigs,
  PushTelemetry,
  ZERO_UUID,
} from '@ottla/protocol'
import { EmbeddedCluster, type TelemetryPush } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

const CLIENT_METRICS = 16
const SET = 0
const NONE = 0
const GZIP = 1

let clock: FakeClock
let cluster: EmbeddedCluster
let client: WireClient
let pushed: TelemetryPush[]

beforeEach(async () => {
  clock = new FakeClock()
  pushed = []
  cluster = await EmbeddedCluster.start({ clock, onTelemetry: push => pushed.push(push) })
  client = await WireClient.connect(cluster.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await cluster.close()
})

async function subscribe(resourceName: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, configOperation: SET, value }))
  const resources = [{ resourceType: CLIENT_METRICS, resourceName, configs }]
  const answer = await client.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  assert.equal(answer.responses[0]?.errorCode, 0)
}

type Subscription = Awaited<ReturnType<typeof get>>

function get(clientInstanceId = ZERO_UUID) {
  return client.ask(GetTelemetrySubscriptions, 0, { clientInstanceId })
}

interface Push {
  readonly metrics?: Buffer
  readonly terminating?: boolean
  readonly compressionType?: number
  readonly subscriptionId?: number
}

async function push({ clientInstanceId, subscriptionId }: Subscription, more: Push = {}): Promise<number> {
  const body = { clientInstanceId, subscriptionId, terminating: false, compressionType: NONE, ...more }
  return (await client.ask(PushTelemetry, 0, { metrics: Buffer.from('metrics'), ...body })).errorCode
}

test('a client is asked for the metrics that match it, and its pushes are received', async () => {
  await client.ask(ApiVersions, 3, { clientSoftwareName: 'tests', clientSoftwareVersion: '1.2' })
  await subscribe('one', { metrics: 'a.,b', 'interval.ms': '2000', match: 'client_software_name=tests,client_id=te.*' })
  await subscribe('two', { metrics: 'b,c', 'interval.ms': '1000' })
  await subscribe('others', { metrics: 'd', match: 'client_software_version=2.*' })
  const subscription = await get()
  assert.equal(subscription.errorCode, 0)
  assert.deepEqual(subscription.requestedMetrics, ['a.', 'b', 'c'])
  assert.equal(subscription.pushIntervalMs, 1000)
  const compressed = gzipSync(Buffer.from('metrics'))
  assert.equal(await push(subscription, { metrics: compressed, compressionType: GZIP }), 0)
  assert.deepEqual(
    pushed.map(({ metrics, ...rest }) => ({ ...rest, metrics: Buffer.from(metrics).toString() })),
    [
      {
        brokerId: 1,
        clientId: 'test',
        clientInstanceId: subscription.clientInstanceId,
        terminating: false,
        metrics: 'metrics',
      },
    ],
  )
})

test('without a subscription no metrics are asked for, and all with a single *', async () => {
  assert.deepEqual((await get()).requestedMetrics, [])
  await subscribe('all', { metrics: '*,a' })
  assert.deepEqual((await get()).requestedMetrics, ['*'])
})

test('a client that pushes too early is throttled, except for its last push', async () => {
  await subscribe('one', { metrics: 'a', 'interval.ms': '1000' })
  const subscription = await get()
  const { clientInstanceId: id } = subscription
  assert.equal((await get(id)).errorCode, ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
  assert.equal(await push(subscription), 0)
  clock.advance(999)
  assert.equal(await push(subscription), ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
  clock.advance(1)
  assert.equal(await push(subscription), 0)
  assert.equal(await push(subscription, { terminating: true }), 0)
  clock.advance(1000)
  assert.equal(await push(subscription), ErrorCode.ERR_INVALID_REQUEST)
})

test('a client learns that the subscriptions have changed', async () => {
  await subscribe('one', { metrics: 'a', 'interval.ms': '1000' })
  const subscription = await get()
  await subscribe('one', { metrics: 'b' })
  assert.equal(await push(subscription), ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID)
  clock.advance(1)
  const anew = await get(subscription.clientInstanceId)
  assert.deepEqual(anew.requestedMetrics, ['b'])
  assert.notEqual(anew.subscriptionId, subscription.subscriptionId)
  assert.equal(await push(anew), 0)
})

test('invalid pushes are refused', async () => {
  await subscribe('one', { metrics: 'a', 'interval.ms': '100' })
  const subscription = await get()
  const next = async (more: Push): Promise<number> => {
    clock.advance(100)
    return push(subscription, more)
  }
  assert.equal(await next({ compressionType: 9 }), ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE)
  assert.equal(await next({ metrics: Buffer.alloc(1_048_577) }), ErrorCode.ERR_TELEMETRY_TOO_LARGE)
  assert.equal(await next({ compressionType: GZIP }), ErrorCode.ERR_INVALID_RECORD)
  assert.equal(await next({ subscriptionId: 1 }), ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID)
  assert.equal(await push({ ...subscription, clientInstanceId: ZERO_UUID }), ErrorCode.ERR_INVALID_REQUEST)
  assert.deepEqual(pushed, [])
})

test('without onTelemetry clients are not asked for metrics', async () => {
  await using other = await EmbeddedCluster.start()
  const own = await WireClient.connect(other.bootstrapServers)
  const { apiKeys } = await own.ask(ApiVersions, 3, { clientSoftwareName: 'tests', clientSoftwareVersion: '1' })
  assert.ok(apiKeys.every(({ apiKey }) => apiKey !== ApiKey.GetTelemetrySubscriptions))
  own.close()
})
