import { EmbeddedCluster } from '@ottla/broker'
import { wideTimeScenarios } from '../behaviour/wide-times.ts'

wideTimeScenarios(() => EmbeddedCluster.start({ brokers: 1 }))
