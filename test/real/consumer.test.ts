import { consumerScenarios } from '../behaviour/consumer.ts'
import { sharedKafka } from '../harness/shared.ts'

consumerScenarios(() => sharedKafka('single'))
