import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLevel } from '../src/enums.ts'
import { blockProperties, checkOutside, type Block } from '../src/kafkajs/block.ts'
import { consumerSettingsOf, merged, settingsOf, type Given } from '../src/kafkajs/settings.ts'
import { ConsoleLogger } from '../src/kafkajs/logging.ts'

const logger = new ConsoleLogger()

test('without a block nothing is set; with one, the defaults are those of kafkajs', () => {
  assert.deepEqual(blockProperties('producer', {}, undefined), {})
  assert.deepEqual(blockProperties('producer', { brokers: ['a:1', 'b:2'] }, undefined), {
    'bootstrap.servers': 'a:1,b:2',
    'socket.timeout.ms': 30_000,
    'socket.connection.setup.timeout.ms': 11_000,
    'retry.backoff.max.ms': 30_000,
    'retry.backoff.ms': 300,
    log_level: 6,
    partitioner: 'murmur2_random',
    'transaction.timeout.ms': 60_000,
    retries: 5,
  })
  assert.deepEqual(blockProperties('consumer', { groupId: 'g', fromBeginning: true }, 'classic'), {
    'socket.timeout.ms': 30_000,
    'socket.connection.setup.timeout.ms': 11_000,
    'retry.backoff.max.ms': 30_000,
    'retry.backoff.ms': 300,
    log_level: 6,
    'partition.assignment.strategy': 'roundrobin',
    'session.timeout.ms': 30_000,
    'max.poll.interval.ms': 300_000,
    'allow.auto.create.topics': true,
    'max.partition.fetch.bytes': 1_048_576,
    'fetch.max.bytes': 10_485_760,
    'message.max.bytes': 1_000_000,
    'enable.auto.commit': true,
    'group.id': 'g',
    'auto.offset.reset': 'earliest',
  })
})

test('security: TLS, SASL, and both', () => {
  const sasl = { mechanism: 'scram-sha-256', username: 'u', password: 'p' } as const
  const of = (block: Block): unknown => blockProperties('admin', block, undefined)['security.protocol']
  assert.equal(of({ ssl: true }), 'ssl')
  assert.equal(of({ sasl }), 'sasl_plaintext')
  assert.equal(of({ sasl, ssl: true }), 'sasl_ssl')
  assert.equal(of({ ssl: false, clientId: 'c' }), undefined)
  const { 'sasl.mechanism': mechanism } = blockProperties('admin', { sasl }, undefined)
  assert.equal(mechanism, 'SCRAM-SHA-256')
})

test('a provider of tokens becomes oauthbearer_token_refresh_cb', async () => {
  const lifetime = 1000
  const oauthBearerProvider = async (): Promise<{ value: string; principal: string; lifetime: number }> => ({
    value: 'v',
    principal: 'p',
    lifetime,
  })
  const { oauthbearer_token_refresh_cb: refresh } = blockProperties(
    'admin',
    { sasl: { mechanism: 'oauthbearer', oauthBearerProvider } },
    undefined,
  )
  const token = await (refresh as (config: string) => Promise<object>)('')
  assert.deepEqual(token, { tokenValue: 'v', principal: 'p', lifetime, extensions: undefined })
})

test('what is not supported is refused', () => {
  const refused: [block: object, why: RegExp][] = [
    [{ brokers: () => ['a:1'] }, /must be an array/],
    [{ ssl: { ca: [] } }, /must be true or false/],
    [{ sasl: { mechanism: 'aws' } }, /AWS is not supported/],
    [{ sasl: { mechanism: 'plain', username: 'u' } }, /must be strings/],
    [{ retry: { factor: 1 } }, /cannot be changed/],
    [{ socketFactory: () => undefined }, /socketFactory/],
    [{ logLevel: 9 }, /one of NOTHING/],
    [{ groupId: 'g' }, /not supported in the kafkaJS block of a producer/],
  ]
  for (const [block, why] of refused) assert.throws(() => blockProperties('producer', block as Block, undefined), why)
  assert.throws(() => blockProperties('producer', { createPartitioner: 1 }, undefined), /partitioner/)
  assert.throws(() => blockProperties('consumer', { sessionTimeout: 1 }, 'consumer'), /group.protocol=classic/)
  assert.throws(() => checkOutside('consumer', { groupId: 'g' }), /move it into the block/)
  assert.doesNotThrow(() => checkOutside('producer', { acks: 1 }))
})

test('what stands beside the block takes precedence, and a client over its Kafka', () => {
  const common = { 'client.id': 'a', kafkaJS: { clientId: 'b', brokers: ['x:1'] } }
  const all = merged(common, { 'linger.ms': 3, kafkaJS: { brokers: ['y:2'] } })
  const { properties } = settingsOf('producer', all, logger)
  assert.equal(properties['client.id'], 'a')
  assert.equal(properties['bootstrap.servers'], 'y:2')
  assert.equal(properties['linger.ms'], 3)
  assert.equal(properties['kafkaJS'], undefined)
})

test('a consumer: sizes of batches, auto commit, and twice the time for handlers', () => {
  const of = (beside: object): ReturnType<typeof consumerSettingsOf> =>
    consumerSettingsOf({ kafkaJS: { groupId: 'g', rebalanceTimeout: 10_000 }, ...beside }, logger)
  assert.equal(of({}).maxBatchSize, 32)
  assert.equal(of({ 'js.consumer.max.batch.size': '-1' }).maxBatchSize, Infinity)
  assert.equal(of({}).maxPollIntervalMs, 20_000)
  assert.equal(of({}).isAutoCommit, true)
  assert.equal(of({ 'enable.auto.commit': 'false' }).isAutoCommit, false)
  assert.throws(() => of({ 'js.consumer.max.batch.size': 0 }), /max.batch.size/)
  assert.throws(() => of({ 'js.consumer.max.cache.size.per.worker.ms': 'x' }), /cache.size/)
  assert.throws(() => of({ 'enable.auto.offset.store': true }), /cannot be set/)
})

test('the level of the log: of the block, of log_level, of debug', () => {
  const levelFor = (config: Given): number => {
    let level = -1
    const listening = new ConsoleLogger()
    listening.setLogLevel = given => (level = given)
    settingsOf('admin', config, listening)
    return level
  }
  assert.equal(levelFor({ kafkaJS: { logLevel: logLevel.ERROR } }), logLevel.ERROR)
  assert.equal(levelFor({ log_level: 7, kafkaJS: { logLevel: logLevel.ERROR } }), logLevel.DEBUG)
  assert.equal(levelFor({ log_level: 0, debug: 'all' }), logLevel.DEBUG)
  assert.equal(levelFor({}), -1)
})
