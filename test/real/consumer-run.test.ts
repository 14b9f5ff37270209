import { consumerRunScenarios } from '../behaviour/consumer-run.ts'
import { sharedKafka } from '../harness/shared.ts'

consumerRunScenarios(() => sharedKafka('single'))
