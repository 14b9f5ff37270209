import { EmbeddedCluster } from '@ottla/broker'
import { batchRunScenarios } from '../behaviour/batch-run.ts'

batchRunScenarios(() => EmbeddedCluster.start())
