import { EmbeddedCluster } from '@ottla/broker'
import { shareConsumerScenarios } from '../behaviour/share-consumer.ts'

shareConsumerScenarios(() => EmbeddedCluster.start())
