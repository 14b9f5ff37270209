import { expelledMemberScenarios } from '../behaviour/expelled-members.ts'
import { sharedKafka } from '../harness/shared.ts'

expelledMemberScenarios(() => sharedKafka('single'))
