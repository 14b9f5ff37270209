import { tracedMessageScenarios } from '../behaviour/traced-messages.ts'
import { sharedKafka } from '../harness/shared.ts'

tracedMessageScenarios(() => sharedKafka('single'))
