import { EmbeddedCluster } from '@ottla/broker'
import { shareRunControlScenarios } from '../behaviour/share-run-control.ts'

shareRunControlScenarios(() => EmbeddedCluster.start())
