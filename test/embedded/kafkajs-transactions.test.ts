import { EmbeddedCluster } from '@ottla/broker'
import { transactionScenarios } from '../behaviour/kafkajs/transactions.ts'

transactionScenarios(() => EmbeddedCluster.start())
