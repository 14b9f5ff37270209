import { adminWrongInputScenarios } from '../behaviour/admin-wrong-input.ts'
import { sharedKafka } from '../harness/shared.ts'

adminWrongInputScenarios(() => sharedKafka('single'))
