import { EmbeddedCluster } from '@ottla/broker'
import { slowPartitionScenarios } from '../behaviour/slow-partitions.ts'

slowPartitionScenarios(() => EmbeddedCluster.start())
