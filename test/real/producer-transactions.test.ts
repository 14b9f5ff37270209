import { describe } from 'node:test'
import { producerTransactionScenarios } from '../behaviour/producer-transactions.ts'
import { sharedKafka } from '../harness/shared.ts'

describe('transactions of version 2 (Kafka 4.3)', () => producerTransactionScenarios(() => sharedKafka('single')))
describe('transactions of version 1 (Kafka 3.9)', () => producerTransactionScenarios(() => sharedKafka('old')))
