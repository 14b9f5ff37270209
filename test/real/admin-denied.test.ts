import { adminDeniedScenarios } from '../behaviour/admin-denied.ts'
import { securedKafka } from './worlds.ts'

adminDeniedScenarios(securedKafka)
