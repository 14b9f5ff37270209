import { EmbeddedCluster } from '@ottla/broker'
import { adminWrongInputScenarios } from '../behaviour/admin-wrong-input.ts'

adminWrongInputScenarios(() => EmbeddedCluster.start())
