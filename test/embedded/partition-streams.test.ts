import { EmbeddedCluster } from '@ottla/broker'
import { partitionStreamScenarios } from '../behaviour/partition-streams.ts'

partitionStreamScenarios(() => EmbeddedCluster.start())
