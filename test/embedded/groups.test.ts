import { EmbeddedCluster } from '@ottla/broker'
import { groupScenarios } from '../behaviour/groups.ts'

groupScenarios(() => EmbeddedCluster.start())
