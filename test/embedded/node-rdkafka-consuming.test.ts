import { EmbeddedCluster } from '@ottla/broker'
import { consumingScenarios } from '../behaviour/node-rdkafka/consuming.ts'

consumingScenarios(() => EmbeddedCluster.start())
