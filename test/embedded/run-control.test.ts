import { EmbeddedCluster } from '@ottla/broker'
import { runControlScenarios } from '../behaviour/run-control.ts'

runControlScenarios(() => EmbeddedCluster.start())
