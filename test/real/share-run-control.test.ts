import { shareRunControlScenarios } from '../behaviour/share-run-control.ts'
import { sharedKafka } from '../harness/shared.ts'

shareRunControlScenarios(() => sharedKafka('single'))
