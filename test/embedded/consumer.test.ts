import { EmbeddedCluster } from '@ottla/broker'
import { consumerScenarios } from '../behaviour/consumer.ts'

consumerScenarios(() => EmbeddedCluster.start({ brokers: 1 }))
