import { EmbeddedCluster } from '@ottla/broker'
import { consumingScenarios } from '../behaviour/kafkajs/consuming.ts'

consumingScenarios(() => EmbeddedCluster.start())
