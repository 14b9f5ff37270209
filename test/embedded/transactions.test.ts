import { EmbeddedCluster } from '@ottla/broker'
import { transactionScenarios } from '../behaviour/transactions.ts'

transactionScenarios(() => EmbeddedCluster.start())
