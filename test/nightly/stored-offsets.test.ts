import { storedOffsetScenarios } from '../behaviour/stored-offsets.ts'
import { sharedKafka } from '../harness/shared.ts'

storedOffsetScenarios(() => sharedKafka('single'))
