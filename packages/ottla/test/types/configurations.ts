/** What the configuration of each client takes, and what it refuses. Compiled, never run. */
import {
  AdminClient,
  Consumer,
  Producer,
  ShareConsumer,
  envConfig,
  parseProperties,
  type AdminConfig,
  type ClientConfig,
  type ConsumerConfig,
  type ProducerConfig,
  type ShareConsumerConfig,
} from '../../src/index.ts'
import { check } from './same.ts'

const servers = { 'bootstrap.servers': 'localhost:9092' }

export function producers(text: string, flag: boolean, count: number, lines: string[]): void {
  new Producer({ 'bootstrap.servers': text })
  new Producer({ 'bootstrap.servers': lines })
  new Producer({ 'metadata.broker.list': text })
  new Producer({ ...servers, 'linger.ms': 5, acks: 'all', 'enable.idempotence': flag, 'batch.size': count })
  // As text, as in a .properties file.
  new Producer({ ...servers, 'linger.ms': '5', acks: '-1', 'enable.idempotence': 'true', 'batch.size': '100' })
  new Producer({ ...servers, acks: -1, 'compression.type': 'ZSTD', 'security.protocol': 'SASL_SSL' })
  new Producer({ ...servers, 'sasl.mechanism': 'PLAIN', 'sasl.username': undefined, debug: 'broker,msg' })
  new Producer({ ...servers, 'sasl.mechanism': text, partitioner: text, debug: ['broker', 'msg'] })
  // @ts-expect-error there are no brokers
  new Producer({})
  // @ts-expect-error there are no brokers
  new Producer({ 'client.id': 'shop' })
  // @ts-expect-error the brokers may be missing
  new Producer({ 'bootstrap.servers': process.env['BROKERS'] })
  // @ts-expect-error it is misspelt
  new Producer({ 'bootstrap.servers': text, 'linger.mss': 5 })
  // @ts-expect-error it is KafkaJS's
  new Producer({ 'bootstrap.servers': text, clientId: 'shop' })
  // @ts-expect-error it is a consumer's
  new Producer({ 'bootstrap.servers': text, 'group.id': 'shop' })
  // @ts-expect-error a codec that does not exist
  new Producer({ 'bootstrap.servers': text, 'compression.type': 'brotli' })
  // @ts-expect-error a word for a number
  new Producer({ 'bootstrap.servers': text, 'linger.ms': 'soon' })
  // @ts-expect-error a word that acks does not know
  new Producer({ 'bootstrap.servers': text, acks: 'most' })
  // @ts-expect-error neither true nor false
  new Producer({ 'bootstrap.servers': text, 'enable.idempotence': 'yes' })
  // @ts-expect-error functions are options, not properties
  new Producer({ 'bootstrap.servers': text, dr_cb: () => undefined }) // eslint-disable-line @typescript-eslint/no-deprecated -- struck through
}

export function consumers(text: string): void {
  new Consumer({ ...servers, 'group.id': 'shop', 'auto.offset.reset': 'earliest' })
  new Consumer({ ...servers, 'auto.offset.reset': 'by_duration:PT1H', 'partition.assignment.strategy': 'mine,range' })
  // Without a group it can be assigned partitions.
  new Consumer({ 'bootstrap.servers': text })
  // @ts-expect-error there are no brokers
  new Consumer({ 'group.id': 'shop' })
  // @ts-expect-error it is a producer's
  new Consumer({ 'bootstrap.servers': text, 'linger.ms': 5 })
  // @ts-expect-error it is a share consumer's
  new Consumer({ 'bootstrap.servers': text, 'share.acknowledgement.mode': 'explicit' })
  // @ts-expect-error it is misspelt
  new Consumer({ 'bootstrap.servers': text, 'auto.offset.resett': 'earliest' })
  // @ts-expect-error neither a word nor a duration
  new Consumer({ 'bootstrap.servers': text, 'auto.offset.reset': 'sooner' })

  new ShareConsumer({ 'bootstrap.servers': text, 'group.id': 'shop', 'share.acknowledgement.mode': 'explicit' })
  // @ts-expect-error it needs a group
  new ShareConsumer({ 'bootstrap.servers': text })
  // @ts-expect-error the brokers decide that
  new ShareConsumer({ 'bootstrap.servers': text, 'group.id': 'shop', 'auto.offset.reset': 'earliest' })
}

export function administrators(text: string): void {
  new AdminClient({ 'bootstrap.servers': text, 'sasl.password': text })
  // @ts-expect-error there are no brokers
  new AdminClient({})
  // @ts-expect-error it is a consumer's
  new AdminClient({ 'bootstrap.servers': text, 'group.id': 'shop' })
}

/** Settings that clients share, and settings that change some. */
export function parts(shared: ClientConfig, more: Partial<ProducerConfig>, others: Record<string, string>): void {
  new Producer(shared)
  new Consumer(shared)
  new AdminClient(shared)
  new ShareConsumer({ ...shared, 'group.id': 'shop' })
  new Producer({ ...shared, ...more })
  new Producer({ 'bootstrap.servers': 'localhost:9092', ...more, ...others })
  // @ts-expect-error the brokers may be missing
  new Producer(more)
  const small: Partial<ConsumerConfig> = { 'fetch.max.bytes': 1 }
  new Consumer({ ...shared, ...small })
  check(shared satisfies AdminConfig)
  const loose: Record<string, unknown> = shared
  check(loose)
}

/** What is read at run time is checked at run time. */
export function readAtRunTime(text: string): void {
  new Producer(parseProperties(text))
  new Consumer(parseProperties(text))
  new AdminClient(parseProperties(text))
  new Producer({ 'bootstrap.servers': 'localhost:9092', ...parseProperties(text), 'linger.ms': 5 })
  new Producer(envConfig(process.env))
  new Consumer(envConfig(process.env, 'SHOP_'))
  new AdminClient(envConfig({ KAFKA_BOOTSTRAP_SERVERS: 'a:1' }, 'KAFKA_', { ignore: ['KAFKA_TOPIC'] }))
  new Consumer({ 'bootstrap.servers': 'localhost:9092', 'group.id': 'shop', ...envConfig(process.env) })
  new ShareConsumer({ ...envConfig(process.env), 'group.id': 'shop' } satisfies ShareConsumerConfig)
  check(envConfig({})['linger.ms'] satisfies number | `${number}` | undefined)
}
