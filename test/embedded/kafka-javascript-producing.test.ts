import { EmbeddedCluster } from '@ottla/broker'
import { producingScenarios } from '../behaviour/kafka-javascript/producing.ts'

producingScenarios(() => EmbeddedCluster.start())
