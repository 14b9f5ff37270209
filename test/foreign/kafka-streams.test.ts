import { EmbeddedCluster } from '@ottla/broker'
import { kafkaStreamsScenarios } from '../behaviour/kafka-streams.ts'

kafkaStreamsScenarios(() => EmbeddedCluster.start({ brokers: 3 }))
