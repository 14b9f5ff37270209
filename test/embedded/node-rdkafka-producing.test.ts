import { EmbeddedCluster } from '@ottla/broker'
import { producingScenarios } from '../behaviour/node-rdkafka/producing.ts'

producingScenarios(() => EmbeddedCluster.start())
