import { statisticsScenarios } from '../behaviour/statistics.ts'
import { embeddedWorld } from './worlds.ts'

statisticsScenarios(embeddedWorld)
