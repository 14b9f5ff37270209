import { EmbeddedCluster } from '@ottla/broker'
import { consumerGroupScenarios } from '../behaviour/consumer-groups.ts'

consumerGroupScenarios(() => EmbeddedCluster.start({ defaultPartitions: 4 }))
