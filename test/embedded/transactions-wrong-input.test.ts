import { EmbeddedCluster } from '@ottla/broker'
import { transactionsWrongInputScenarios } from '../behaviour/transactions-wrong-input.ts'

transactionsWrongInputScenarios(() => EmbeddedCluster.start())
