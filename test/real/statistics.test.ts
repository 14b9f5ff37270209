import { statisticsScenarios } from '../behaviour/statistics.ts'
import { securedKafka } from './worlds.ts'

statisticsScenarios(securedKafka)
