import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ClientMetrics, subscriptionProblem, type ClientTraits } from '../../src/telemetry/client-metrics.ts'

const client: ClientTraits = {
  client_instance_id: 'id',
  client_id: 'billing-1',
  client_software_name: 'ottla',
  client_software_version: '0.1.0',
  client_source_address: '127.0.0.1',
  client_source_port: '5000',
}

test('an interval is a whole number within its limits', () => {
  const check = (value: string): boolean | null => subscriptionProblem('interval.ms', value)?.isValue ?? null
  assert.deepEqual(['100', '3600000', ' 500 '].map(check), [null, null, null])
  assert.deepEqual(['99', '3600001', '-5'].map(check), [false, false, false], 'not allowed')
  assert.deepEqual(['', 'x', '1.5', '99999999999'].map(check), [true, true, true, true], 'not a number')
})

test('a match is a list of known traits with valid patterns', () => {
  const check = (value: string): boolean => subscriptionProblem('match', value) === null
  assert.deepEqual(['', 'client_id=a.*', 'client_id=a, client_source_port=50[0-9]+'].map(check), [true, true, true])
  assert.deepEqual(['client_id', 'nonsense=a', 'client_id=[', 'client_id=a=b'].map(check), [false, false, false, false])
  assert.equal(subscriptionProblem('nonsense', '1')?.isValue, false)
})

test('a client gets the metrics of all subscriptions that match it, at the shortest interval', () => {
  const subscriptions = new ClientMetrics()
  subscriptions.set('a', 'metrics', 'one, two')
  subscriptions.set('a', 'match', 'client_id=billing-.*,client_software_name=ottla')
  subscriptions.set('b', 'metrics', 'two,three')
  subscriptions.set('b', 'interval.ms', '1000')
  subscriptions.set('c', 'metrics', 'four')
  subscriptions.set('c', 'interval.ms', '100')
  subscriptions.set('c', 'match', 'client_id=billing')
  assert.deepEqual(subscriptions.subscriptionFor(client), { metrics: ['one', 'two', 'three'], intervalMs: 1000 })
  subscriptions.set('d', 'metrics', '*')
  assert.deepEqual(subscriptions.subscriptionFor(client).metrics, ['*'])
})

test('without a matching subscription there are no metrics', () => {
  const subscriptions = new ClientMetrics()
  assert.deepEqual(subscriptions.subscriptionFor(client), { metrics: [], intervalMs: 300_000 })
})

test('the version goes up with each change, and a subscription goes with its last setting', () => {
  const subscriptions = new ClientMetrics()
  const { version } = subscriptions
  subscriptions.set('a', 'metrics', 'one')
  subscriptions.set('a', 'metrics', null)
  assert.equal(subscriptions.version, version + 2)
  assert.deepEqual(subscriptions.names(), [])
})
