import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, ZERO_UUID, codecByName } from '@ottla/protocol'
import { seededRandom } from '../../src/base/random.ts'
import { ClientMetrics, type ClientTraits } from '../../src/telemetry/client-metrics.ts'
import { TELEMETRY_MAX_BYTES, Telemetry, type TelemetrySubscription } from '../../src/telemetry/telemetry.ts'
import { FakeClock } from '../fake-clock.ts'

const INTERVAL_MS = 1000
const traits: ClientTraits = {
  client_instance_id: '',
  client_id: 'c',
  client_software_name: '',
  client_software_version: '',
  client_source_address: '',
  client_source_port: '',
}

class Scene {
  readonly clock = new FakeClock()
  readonly subscriptions = new ClientMetrics()
  readonly received: string[] = []
  readonly telemetry: Telemetry

  constructor() {
    const { clock, subscriptions, received } = this
    subscriptions.set('s', 'metrics', 'one')
    subscriptions.set('s', 'interval.ms', String(INTERVAL_MS))
    const receive = ({ metrics }: { metrics: Uint8Array }): void => void received.push(Buffer.from(metrics).toString())
    this.telemetry = new Telemetry({ clock, random: seededRandom(1), subscriptions, receive })
  }

  subscribe(id: string = ZERO_UUID): TelemetrySubscription {
    const found = this.telemetry.subscribe(1, id, traits)
    return typeof found === 'number' ? assert.fail(`error ${found}`) : found
  }

  push(
    { clientInstanceId, subscriptionId }: TelemetrySubscription,
    more: { compressionType?: number; metrics?: Uint8Array; terminating?: boolean } = {},
  ): number {
    const metrics = Buffer.from('m')
    const request = { clientInstanceId, subscriptionId, terminating: false, compressionType: 0, metrics, ...more }
    return this.telemetry.push(1, request, traits)
  }
}

test('the first push may come at once, the next after the interval', () => {
  const scene = new Scene()
  const subscription = scene.subscribe()
  assert.equal(scene.push(subscription), ErrorCode.ERR_NO_ERROR)
  scene.clock.advance(INTERVAL_MS - 1)
  assert.equal(scene.push(subscription), ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
  scene.clock.advance(1)
  assert.equal(scene.push(subscription), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(scene.received, ['m', 'm'])
})

test('the last push of a client need not wait, and no other follows', () => {
  const scene = new Scene()
  const subscription = scene.subscribe()
  scene.push(subscription)
  assert.equal(scene.push(subscription, { terminating: true }), ErrorCode.ERR_NO_ERROR)
  scene.clock.advance(INTERVAL_MS)
  assert.equal(scene.push(subscription), ErrorCode.ERR_INVALID_REQUEST)
})

test('after a change of subscriptions a client has to ask again, and may do so at once', () => {
  const scene = new Scene()
  const old = scene.subscribe()
  assert.equal(scene.telemetry.subscribe(1, old.clientInstanceId, traits), ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
  scene.subscriptions.set('s', 'metrics', 'two')
  assert.equal(scene.push(old), ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID)
  const fresh = scene.subscribe(old.clientInstanceId)
  assert.equal(fresh.clientInstanceId, old.clientInstanceId)
  assert.notEqual(fresh.subscriptionId, old.subscriptionId)
  assert.deepEqual(fresh.metrics, ['two'])
})

test('pushes are decompressed, and refused if that fails', () => {
  const scene = new Scene()
  const gzip = codecByName('gzip')
  const compressed = { compressionType: gzip.id, metrics: gzip.compress(Buffer.from('many')) }
  assert.equal(scene.push(scene.subscribe(), compressed), ErrorCode.ERR_NO_ERROR)
  const broken = { compressionType: gzip.id, metrics: Buffer.from('no gzip') }
  assert.equal(scene.push(scene.subscribe(), broken), ErrorCode.ERR_INVALID_RECORD)
  const unknown = { compressionType: 9 }
  assert.equal(scene.push(scene.subscribe(), unknown), ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE)
  const large = { metrics: Buffer.alloc(TELEMETRY_MAX_BYTES + 1) }
  assert.equal(scene.push(scene.subscribe(), large), ErrorCode.ERR_TELEMETRY_TOO_LARGE)
  assert.deepEqual(scene.received, ['many'])
})

test('reserved ids cannot push, and each client and broker has limits of its own', () => {
  const scene = new Scene()
  const subscription = scene.subscribe()
  assert.equal(scene.push({ ...subscription, clientInstanceId: ZERO_UUID }), ErrorCode.ERR_INVALID_REQUEST)
  assert.notEqual(scene.subscribe().clientInstanceId, subscription.clientInstanceId)
  assert.equal(typeof scene.telemetry.subscribe(2, subscription.clientInstanceId, traits), 'object')
})
