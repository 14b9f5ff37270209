import { shareConsumerScenarios } from '../behaviour/share-consumer.ts'
import { sharedKafka } from '../harness/shared.ts'

shareConsumerScenarios(() => sharedKafka('single'))
