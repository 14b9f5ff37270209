import { runControlScenarios } from '../behaviour/run-control.ts'
import { sharedKafka } from '../harness/shared.ts'

runControlScenarios(() => sharedKafka('single'))
