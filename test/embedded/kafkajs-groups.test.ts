import { EmbeddedCluster } from '@ottla/broker'
import { groupScenarios } from '../behaviour/kafkajs/groups.ts'

groupScenarios(() => EmbeddedCluster.start())
