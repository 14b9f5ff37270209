import { EmbeddedCluster } from '@ottla/broker'
import { consumingScenarios } from '../behaviour/kafka-javascript/consuming.ts'

consumingScenarios(() => EmbeddedCluster.start())
