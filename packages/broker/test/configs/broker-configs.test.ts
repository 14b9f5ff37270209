import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BrokerConfigs, brokerConfigProblem, brokerNameOf } from '../../src/configs/broker-configs.ts'
import { topicDefaults } from '../../src/configs/topic-configs.ts'

test('a topic setting falls back to the broker setting of its own name', () => {
  assert.equal(brokerNameOf('retention.ms'), 'log.retention.ms')
  assert.equal(brokerNameOf('max.message.bytes'), 'message.max.bytes')
  assert.equal(brokerNameOf('min.insync.replicas'), 'min.insync.replicas')
  assert.equal(brokerNameOf('leader.replication.throttled.replicas'), undefined)
  assert.ok([...topicDefaults.keys()].filter(name => brokerNameOf(name) !== undefined).length > 20)
})

test('settings that need a restart, or are for one broker only, are refused', () => {
  assert.match(brokerConfigProblem('broker.id', '7', false) ?? '', /dynamically: \[broker\.id\]/)
  assert.match(brokerConfigProblem('listeners', 'PLAINTEXT://:1', true) ?? '', /cluster level: \[listeners\]/)
  assert.equal(brokerConfigProblem('listeners', 'PLAINTEXT://:1', false), null)
  assert.equal(brokerConfigProblem('my.plugin.setting', 'anything', true), null)
})

test('values obey the rules of the topic setting, but for the retention time', () => {
  assert.notEqual(brokerConfigProblem('log.cleanup.policy', 'forget', true), null)
  assert.notEqual(brokerConfigProblem('message.max.bytes', '-1', true), null)
  assert.equal(brokerConfigProblem('message.max.bytes', '1', true), null)
  assert.equal(brokerConfigProblem('log.retention.ms', '-5', true), null)
  assert.notEqual(brokerConfigProblem('log.retention.ms', 'x', true), null)
  assert.match(brokerConfigProblem('num.io.threads', '0', true) ?? '', /at least 1/)
})

test('a broker’s own value comes before that of all brokers, the start and the default', () => {
  const configs = new BrokerConfigs()
  const started = new Map([['num.io.threads', '4']])
  const sources = (): string[] =>
    configs.values(1, 'num.io.threads', started).map(({ value, source }) => `${source} ${value}`)
  configs.set(null, 'num.io.threads', '5')
  configs.set(1, 'num.io.threads', '6')
  assert.deepEqual(sources(), ['broker 6', 'all-brokers 5', 'start 4', 'default 8'])
  configs.set(1, 'num.io.threads', null)
  assert.deepEqual(sources(), ['all-brokers 5', 'start 4', 'default 8'])
  assert.deepEqual(configs.values(2, 'num.io.threads', new Map([['num.io.threads', '8']]))[1]?.source, 'default')
})

test('only what is set for all brokers is the default of topics', () => {
  const configs = new BrokerConfigs()
  configs.set(1, 'log.retention.ms', '5')
  assert.equal(configs.topicDefault('retention.ms'), undefined)
  configs.set(null, 'log.retention.ms', '6')
  assert.equal(configs.topicDefault('retention.ms'), '6')
  assert.equal(configs.topicDefault('segment.ms'), undefined)
})

test('descriptions list what is known, with passwords marked', () => {
  const configs = new BrokerConfigs()
  configs.set(null, 'my.plugin.setting', 'x')
  configs.set(null, 'ssl.key.password', 'x')
  assert.deepEqual(
    configs.describeForAll().map(({ name, isSensitive }) => [name, isSensitive]),
    [['ssl.key.password', true]],
  )
  assert.equal(configs.describe(1, new Map()).find(({ name }) => name === 'broker.id')?.isReadOnly, true)
})

test('settings given at the start are the defaults of topics, hours and minutes included', () => {
  const given = new Map([
    ['log.retention.hours', '2'],
    ['log.roll.hours', '1'],
    ['message.max.bytes', '77'],
    ['default.replication.factor', '2'],
  ])
  const configs = new BrokerConfigs(given)
  assert.equal(configs.topicDefault('retention.ms'), '7200000')
  assert.equal(configs.topicDefault('segment.ms'), '3600000')
  assert.equal(configs.topicDefault('max.message.bytes'), '77')
  assert.equal(configs.topicDefault('cleanup.policy'), undefined)
  assert.equal(configs.defaultFactor, 2)
  assert.deepEqual(configs.values(1, 'message.max.bytes')[0], { value: '77', source: 'start' })
  configs.set(null, 'message.max.bytes', '99')
  assert.equal(configs.topicDefault('max.message.bytes'), '99')
  const minutes = new BrokerConfigs(new Map([...given, ['log.retention.minutes', '3']]))
  assert.equal(minutes.topicDefault('retention.ms'), '180000')
  assert.throws(
    () => new BrokerConfigs(new Map([['no.such.setting', '1']])),
    /configs: there is no broker setting no\.such/,
  )
  assert.throws(() => new BrokerConfigs(new Map([['message.max.bytes', 'x']])), /message\.max\.bytes is x/)
})

test('a setting that was given is not a default, even with the same value', () => {
  const configs = new BrokerConfigs(new Map([['min.insync.replicas', '1']]))
  const sources = configs.values(1, 'min.insync.replicas').map(({ source }) => source)
  assert.deepEqual(sources, ['start', 'default'])
  const others = new BrokerConfigs().values(1, 'min.insync.replicas').map(({ source }) => source)
  assert.deepEqual(others, ['default'])
})
