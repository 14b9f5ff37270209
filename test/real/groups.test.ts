import { groupScenarios } from '../behaviour/groups.ts'
import { sharedKafka } from '../harness/shared.ts'

groupScenarios(() => sharedKafka('single'))
