/** Apicurio's registry, with Kafka for its storage. */
import { apicurioOnKafkaScenarios } from '../behaviour/apicurio-on-kafka.ts'
import { startKafka } from '../harness/kafka.ts'

apicurioOnKafkaScenarios(() => startKafka({ brokers: 1 }))
