import { consumerGroupScenarios } from '../behaviour/consumer-groups.ts'
import { sharedKafka } from '../harness/shared.ts'

consumerGroupScenarios(() => sharedKafka('single'))
