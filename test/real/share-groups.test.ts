import { shareScenarios } from '../behaviour/share-groups.ts'
import { sharedKafka } from '../harness/shared.ts'

shareScenarios(() => sharedKafka('single'))
