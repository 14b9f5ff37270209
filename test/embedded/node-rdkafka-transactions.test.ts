import { EmbeddedCluster } from '@ottla/broker'
import { transactionScenarios } from '../behaviour/node-rdkafka/transactions.ts'

transactionScenarios(() => EmbeddedCluster.start())
