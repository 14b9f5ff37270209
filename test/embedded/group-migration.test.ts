import { EmbeddedCluster } from '@ottla/broker'
import { groupMigrationScenarios } from '../behaviour/group-migration.ts'

groupMigrationScenarios(() => EmbeddedCluster.start())
