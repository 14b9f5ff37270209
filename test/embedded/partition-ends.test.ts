import { EmbeddedCluster } from '@ottla/broker'
import { partitionEndScenarios } from '../behaviour/partition-ends.ts'

partitionEndScenarios(() => EmbeddedCluster.start())
