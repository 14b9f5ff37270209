import { EmbeddedCluster } from '@ottla/broker'
import { groupScenarios } from '../behaviour/node-rdkafka/groups.ts'

groupScenarios(() => EmbeddedCluster.start())
