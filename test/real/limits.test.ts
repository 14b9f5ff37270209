import { limitScenarios } from '../behaviour/limits.ts'
import { securedKafka } from './worlds.ts'

limitScenarios(securedKafka)
