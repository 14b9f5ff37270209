import { EmbeddedCluster } from '@ottla/broker'
import { storedOffsetScenarios } from '../behaviour/stored-offsets.ts'

storedOffsetScenarios(() => EmbeddedCluster.start())
