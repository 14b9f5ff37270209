import { partitionEndScenarios } from '../behaviour/partition-ends.ts'
import { sharedKafka } from '../harness/shared.ts'

partitionEndScenarios(() => sharedKafka('single'))
