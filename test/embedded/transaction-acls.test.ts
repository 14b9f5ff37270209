import { transactionAclScenarios } from '../behaviour/transaction-acls.ts'
import { embeddedWorld } from './worlds.ts'

transactionAclScenarios(embeddedWorld)
