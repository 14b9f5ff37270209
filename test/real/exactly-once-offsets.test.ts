import { exactlyOnceOffsetScenarios } from '../behaviour/exactly-once-offsets.ts'
import { sharedKafka } from '../harness/shared.ts'

exactlyOnceOffsetScenarios(() => sharedKafka('single'))
