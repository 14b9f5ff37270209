import { wideTimeScenarios } from '../behaviour/wide-times.ts'
import { sharedKafka } from '../harness/shared.ts'

wideTimeScenarios(() => sharedKafka('single'))
