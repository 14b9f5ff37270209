import { wrongInputScenarios } from '../behaviour/wrong-input.ts'
import { sharedKafka } from '../harness/shared.ts'

wrongInputScenarios(() => sharedKafka('single'))
