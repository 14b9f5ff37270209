/** @ottla/node-rdkafka: OAUTHBEARER tokens that a program gives its clients, and clusters that throttle or refuse. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, CODES, createReadStream, KafkaConsumer, Producer, type Message } from '@ottla/node-rdkafka'
import { closing } from '../harness/closing.ts'
import { unsecured } from '../harness/unsecured-token.ts'
import { fresh } from '../behaviour/world.ts'
import {
  called,
  connected,
  disconnecting,
  nextEvent,
  refused,
  textOf,
} from '../behaviour/node-rdkafka/rdkafka-world.ts'

let cluster: EmbeddedCluster
before(async () => {
  cluster = await EmbeddedCluster.start({ sasl: { mechanisms: ['OAUTHBEARER'] } })
})
after(() => cluster.close())

const { tokenValue: token } = unsecured('alice', 3600)

const conf = (): object => ({
  'metadata.broker.list': cluster.bootstrapServers,
  'security.protocol': 'sasl_plaintext',
  'sasl.mechanisms': 'OAUTHBEARER',
})

test('tokens: given before connecting, replaced afterwards, for every kind of client', async () => {
  const topic = fresh('oauth')
  const admin = AdminClient.create(conf(), token)
  closing({ close: async () => admin.disconnect() })
  await called<void>(done => admin.createTopic({ topic, num_partitions: 1, replication_factor: 1 }, 60_000, done))
  const producer = disconnecting(new Producer({ ...conf(), dr_cb: true }))
  assert.equal(producer.setOauthBearerToken(token), producer)
  await connected(producer)
  producer.setOauthBearerToken(token)
  producer.produce(topic, null, Buffer.from('by a token'))
  const stream = createReadStream(
    { ...conf(), 'group.id': fresh('group') },
    { 'auto.offset.reset': 'earliest' },
    { topics: topic, initOauthBearerToken: token },
  )
  closing({ close: () => new Promise<void>(resolve => stream.close(resolve)) })
  const [message] = await nextEvent<[Message]>(stream, 'data')
  assert.equal(textOf(message), 'by a token')
  stream.refreshOauthBearerToken(token)
})

test('what is no token is refused; so is one without OAUTHBEARER, when it connects', async () => {
  const producer = disconnecting(new Producer(conf()))
  assert.throws(() => producer.setOauthBearerToken(''), { message: /OAuthBearer token/ })
  const plain = disconnecting(new KafkaConsumer({ 'metadata.broker.list': cluster.bootstrapServers }, {}))
  plain.setOauthBearerToken(token)
  const error = await refused(done => plain.connect({}, done))
  assert.equal((error as { code?: number }).code, CODES.ERRORS.ERR__STATE)
})
