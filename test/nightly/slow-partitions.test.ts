import { slowPartitionScenarios } from '../behaviour/slow-partitions.ts'
import { sharedKafka } from '../harness/shared.ts'

slowPartitionScenarios(() => sharedKafka('single'))
