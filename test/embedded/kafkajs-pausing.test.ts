import { EmbeddedCluster } from '@ottla/broker'
import { pausingScenarios } from '../behaviour/kafkajs/pausing.ts'

pausingScenarios(() => EmbeddedCluster.start())
