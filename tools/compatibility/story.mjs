// What every runner, bundler and runtime has to get through: a cluster, each codec there and back, errors that are
// recognised, a program for each client that a package stands in for. In three languages from one text.

const imports = [
  ['node:assert/strict', 'assert'],
  ['@ottla/broker', '{ EmbeddedCluster }'],
  ['@confluentinc/kafka-javascript', '{ KafkaJS }'],
  ['kafkajs', '{ Kafka, logLevel }'],
  ['node-rdkafka', 'RdKafka'],
  ['ottla', '{ AdminClient, Consumer, KafkaError, Producer }'],
]

const body = `
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

async function story(among = codecs) {
  const cluster = await EmbeddedCluster.start({ seed: 7 })
  const settings = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(settings)
  await admin.createTopics([{ topic: 'story', numPartitions: 1 }])
  for (const codec of among) {
    const producer = new Producer({ ...settings, 'compression.codec': codec })
    const report = await producer.send({ topic: 'story', key: codec, value: (codec + ' ').repeat(100) })
    assert.equal(report.topic, 'story')
    await producer.close()
  }
  const consumer = new Consumer({ ...settings, 'group.id': 'readers', 'auto.offset.reset': 'earliest' })
  consumer.subscribe('story')
  for (const codec of among) {
    const message = await consumer.readMessage(60_000)
    assert.equal(String(message.value), (codec + ' ').repeat(100))
  }
  assert.throws(() => new Producer({ 'bootstrap.servers': 'nowhere:1', acks: 7_000_000 }), KafkaError)
  const alone = new AdminClient({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: () => undefined })
  await assert.rejects(alone.clusterId({ requestTimeoutMs: 200 }), error => error instanceof KafkaError && error.isTimeout)
  await Promise.all([alone.close(), consumer.close(), admin.close()])
  const brokers = cluster.bootstrapServers.split(',')
  await facade(brokers)
  await confluent(brokers)
  await rdkafka(cluster.bootstrapServers)
  await cluster.close()
  return among.join()
}

async function facade(brokers) {
  const kafka = new Kafka({ clientId: 'story', brokers, logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'story', messages: [{ key: 'k', value: 'for kafkajs' }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: 'others' })
  await consumer.connect()
  await consumer.subscribe({ topics: ['story'], fromBeginning: true })
  await new Promise(resolve => {
    void consumer.run({ eachMessage: async ({ message }) => String(message.value) === 'for kafkajs' && resolve(null) })
  })
  await consumer.disconnect()
}

async function confluent(brokers) {
  const kafka = new KafkaJS.Kafka({ kafkaJS: { brokers, logLevel: KafkaJS.logLevel.NOTHING } })
  const producer = kafka.producer({ 'linger.ms': 0 })
  await producer.connect()
  await producer.send({ topic: 'story', messages: [{ key: 'k', value: 'for Confluent' }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ kafkaJS: { groupId: 'more', fromBeginning: true } })
  await consumer.connect()
  await consumer.subscribe({ topics: ['story'] })
  await new Promise(resolve => {
    void consumer.run({
      eachMessage: async ({ message }) => void (String(message.value) === 'for Confluent' && resolve(null)),
    })
  })
  await consumer.disconnect()
}

async function rdkafka(servers) {
  const settings = { 'metadata.broker.list': servers }
  const producer = new RdKafka.HighLevelProducer(settings)
  await new Promise(resolve => producer.connect({}, resolve))
  await new Promise((resolve, reject) => {
    producer.produce('story', null, Buffer.from('for node-rdkafka'), 'k', Date.now(), error =>
      error ? reject(error) : resolve(null),
    )
  })
  await new Promise(resolve => producer.disconnect(() => resolve(null)))
  const consumer = new RdKafka.KafkaConsumer({ ...settings, 'group.id': 'most' }, { 'auto.offset.reset': 'earliest' })
  await new Promise(resolve => consumer.connect({}, resolve))
  await new Promise(resolve => {
    consumer.on('data', ({ value }) => void (String(value) === 'for node-rdkafka' && resolve(null)))
    consumer.subscribe(['story'])
    consumer.consume()
  })
  await new Promise(resolve => consumer.disconnect(() => resolve(null)))
}
`

const importing = imports.map(([from, names]) => `import ${names} from '${from}'`).join('\n')
const requiring = imports.map(([from, names]) => `const ${names} = require('${from}')`).join('\n')

/** As an ES module. */
export const esm = `${importing}\n${body}\nexport { codecs, story }\n`
/** As TypeScript. */
export const typescript = esm
  .replace("'zstd']", "'zstd'] as const")
  .replace('among = codecs', 'among: readonly (typeof codecs)[number][] = codecs')
  .replace('function facade(brokers)', 'function facade(brokers: string[])')
  .replace('function confluent(brokers)', 'function confluent(brokers: string[])')
  .replace('function rdkafka(servers)', 'function rdkafka(servers: string)')
/** As a CommonJS module. */
export const commonjs = `${requiring}\n${body}\nmodule.exports = { codecs, story }\n`

/** A program that tells the story and prints the codecs; it says which to leave out by its arguments. */
export const program = (language, file) => `${
  language === 'esm' ? `import { story } from './${file}'` : `const { story } = require('./${file}')`
}
const told = process.argv.slice(2)
story(told.length > 0 ? told : undefined).then(codecs => console.log('told', codecs))
`
