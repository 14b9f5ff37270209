import { EmbeddedCluster } from '@ottla/broker'
import { shareScenarios } from '../behaviour/share-groups.ts'

shareScenarios(() => EmbeddedCluster.start())
