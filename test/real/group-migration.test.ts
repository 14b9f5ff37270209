import { groupMigrationScenarios } from '../behaviour/group-migration.ts'
import { sharedKafka } from '../harness/shared.ts'

groupMigrationScenarios(() => sharedKafka('single'))
