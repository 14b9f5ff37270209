import { limitScenarios } from '../behaviour/limits.ts'
import { embeddedWorld } from './worlds.ts'

limitScenarios(embeddedWorld)
