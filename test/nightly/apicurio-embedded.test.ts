/** Apicurio's registry, with an embedded cluster for its storage. */
import { EmbeddedCluster } from '@ottla/broker'
import { apicurioOnKafkaScenarios } from '../behaviour/apicurio-on-kafka.ts'

apicurioOnKafkaScenarios(() => EmbeddedCluster.start({ brokers: 3 }))
