import { EmbeddedCluster } from '@ottla/broker'
import { administeringScenarios } from '../behaviour/kafka-javascript/administering.ts'

administeringScenarios(() => EmbeddedCluster.start())
