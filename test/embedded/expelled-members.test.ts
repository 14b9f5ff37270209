import { EmbeddedCluster } from '@ottla/broker'
import { expelledMemberScenarios } from '../behaviour/expelled-members.ts'

expelledMemberScenarios(() => EmbeddedCluster.start())
