import { adminOperations } from '../behaviour/admin-operations.ts'
import { embeddedWorld } from './worlds.ts'

adminOperations(embeddedWorld)
