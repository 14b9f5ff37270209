import { seedScenarios } from '../behaviour/seed.ts'
import { embeddedWorld } from './worlds.ts'

seedScenarios(embeddedWorld)
