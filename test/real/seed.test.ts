import { seedScenarios } from '../behaviour/seed.ts'
import { securedKafka } from './worlds.ts'

seedScenarios(securedKafka)
