import { adminDeniedScenarios } from '../behaviour/admin-denied.ts'
import { embeddedWorld } from './worlds.ts'

adminDeniedScenarios(embeddedWorld)
