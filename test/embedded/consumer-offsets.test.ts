import { EmbeddedCluster } from '@ottla/broker'
import { consumerOffsetScenarios } from '../behaviour/consumer-offsets.ts'

consumerOffsetScenarios(() => EmbeddedCluster.start({ brokers: 1 }))
