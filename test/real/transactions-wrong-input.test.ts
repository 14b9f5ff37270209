import { transactionsWrongInputScenarios } from '../behaviour/transactions-wrong-input.ts'
import { sharedKafka } from '../harness/shared.ts'

transactionsWrongInputScenarios(() => sharedKafka('single'))
