import { EmbeddedCluster } from '@ottla/broker'
import { describe } from 'node:test'
import { producerTransactionScenarios } from '../behaviour/producer-transactions.ts'

describe('transactions of version 2', () => producerTransactionScenarios(() => EmbeddedCluster.start()))
describe('transactions of version 1', () => producerTransactionScenarios(() => EmbeddedCluster.start({ as: '3.9' })))
