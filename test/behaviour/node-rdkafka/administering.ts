/** What node-rdkafka's specs ask of its admin client (`e2e/admin.spec.js`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, CODES, type Metadata } from '@ottla/node-rdkafka'
import { fresh } from '../world.ts'
import { anything, called, connected, rdkafkaWorldOf, refused, type PlainCluster } from './rdkafka-world.ts'

/** @param start a cluster of one broker */
export function administeringScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  async function partitionsOf(topic: string): Promise<number | undefined> {
    const producer = await connected(world.producer())
    const { topics } = await called<Metadata>(done => producer.getMetadata({}, done))
    return topics.find(({ name }) => name === topic)?.partitions.length
  }

  test('createTopic, createPartitions, deleteTopic', async () => {
    const admin = world.admin()
    const topic = fresh('admin')
    const newTopic = { topic, num_partitions: 1, replication_factor: 1, config: { 'retention.ms': '60000' } }
    await called<void>(done => admin.createTopic(newTopic, done))
    assert.equal(await partitionsOf(topic), 1)
    const again = await refused(done => admin.createTopic(newTopic, 10_000, done))
    assert.equal(again.code, CODES.ERRORS.ERR_TOPIC_ALREADY_EXISTS)
    await called<void>(done => admin.createPartitions(topic, 20, done))
    assert.equal(await partitionsOf(topic), 20)
    const fewer = await refused(done => admin.createPartitions(topic, 1, 10_000, done))
    assert.equal(fewer.code, CODES.ERRORS.ERR_INVALID_PARTITIONS)
    await called<void>(done => admin.deleteTopic(topic, done))
    assert.equal(await partitionsOf(topic), undefined)
    const gone = await refused(done => admin.deleteTopic(topic, 10_000, done))
    assert.equal(gone.code, CODES.ERRORS.ERR_UNKNOWN_TOPIC_OR_PART)
  })

  test('more replicas than brokers are an error', async () => {
    const admin = world.admin()
    const error = await refused(done =>
      admin.createTopic({ topic: fresh('admin'), num_partitions: 1, replication_factor: 9999 }, done),
    )
    assert.equal(error.code, CODES.ERRORS.ERR_INVALID_REPLICATION_FACTOR)
  })

  test('after disconnect it refuses everything; a configuration that cannot work is refused at once', () => {
    const admin = world.admin()
    admin.disconnect()
    assert.throws(() => admin.deleteTopic('t'), { code: CODES.ERRORS.ERR__STATE })
    assert.throws(
      () => AdminClient.create(anything({ 'metadata.broker.list': 'a', wibble: 1 })),
      /no property 'wibble'/,
    )
    assert.throws(() => world.admin().refreshOauthBearerToken(''), { message: /OAuthBearer token/ })
  })
}
