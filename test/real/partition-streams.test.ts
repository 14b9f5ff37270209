import { partitionStreamScenarios } from '../behaviour/partition-streams.ts'
import { sharedKafka } from '../harness/shared.ts'

partitionStreamScenarios(() => sharedKafka('single'))
