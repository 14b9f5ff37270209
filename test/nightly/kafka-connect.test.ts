import { kafkaConnectScenarios } from '../behaviour/kafka-connect.ts'
import { startKafka } from '../harness/kafka.ts'

kafkaConnectScenarios(() => startKafka({ brokers: 1 }))
