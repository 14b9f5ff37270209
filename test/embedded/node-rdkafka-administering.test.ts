import { EmbeddedCluster } from '@ottla/broker'
import { administeringScenarios } from '../behaviour/node-rdkafka/administering.ts'

administeringScenarios(() => EmbeddedCluster.start())
