// A Prometheus exporter on a producer, a consumer and an admin client: `node prometheus.mjs BROKERS`. Prints its metrics.
import {
  monitorKafkaJSAdmin,
  monitorKafkaJSConsumer,
  monitorKafkaJSProducer,
} from '@christiangalsterer/kafkajs-prometheus-exporter'
import kafkajs from 'kafkajs'
import { Registry } from 'prom-client'

const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: process.argv[2].split(','), logLevel: logLevel.NOTHING })
const register = new Registry()
const [producer, consumer, admin] = [kafka.producer(), kafka.consumer({ groupId: 'metrics' }), kafka.admin()]
monitorKafkaJSProducer(producer, register)
monitorKafkaJSConsumer(consumer, register)
monitorKafkaJSAdmin(admin, register)

await Promise.all([producer.connect(), consumer.connect(), admin.connect()])
await producer.send({ topic: 'metrics', messages: [{ value: 'a' }, { value: 'b' }] })
await consumer.subscribe({ topics: ['metrics'], fromBeginning: true })
const processed = new Promise(resolve => consumer.on(consumer.events.END_BATCH_PROCESS, resolve))
const committed = new Promise(resolve => consumer.on(consumer.events.COMMIT_OFFSETS, resolve))
await consumer.run({ eachMessage: async () => {} })
await Promise.all([processed, committed])
// The values change when the clients disconnect.
const metrics = JSON.stringify(await register.getMetricsAsJSON())
await Promise.all([producer.disconnect(), consumer.disconnect(), admin.disconnect()])
console.log(metrics)
