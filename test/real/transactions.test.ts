import { transactionScenarios } from '../behaviour/transactions.ts'
import { sharedKafka } from '../harness/shared.ts'

transactionScenarios(() => sharedKafka('single'))
