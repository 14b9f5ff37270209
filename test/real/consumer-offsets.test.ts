import { consumerOffsetScenarios } from '../behaviour/consumer-offsets.ts'
import { sharedKafka } from '../harness/shared.ts'

consumerOffsetScenarios(() => sharedKafka('single'))
