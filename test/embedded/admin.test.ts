import { adminScenarios } from '../behaviour/admin.ts'
import { embeddedWorld } from './worlds.ts'

adminScenarios(embeddedWorld)
