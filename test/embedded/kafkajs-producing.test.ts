import { EmbeddedCluster } from '@ottla/broker'
import { producingScenarios } from '../behaviour/kafkajs/producing.ts'

producingScenarios(() => EmbeddedCluster.start())
