import { handlerCallScenarios } from '../behaviour/handler-calls.ts'
import { sharedKafka } from '../harness/shared.ts'

handlerCallScenarios(() => sharedKafka('single'))
