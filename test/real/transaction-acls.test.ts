import { transactionAclScenarios } from '../behaviour/transaction-acls.ts'
import { securedKafka } from './worlds.ts'

transactionAclScenarios(securedKafka)
