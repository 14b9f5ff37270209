import { EmbeddedCluster } from '@ottla/broker'
import { exactlyOnceOffsetScenarios } from '../behaviour/exactly-once-offsets.ts'

exactlyOnceOffsetScenarios(() => EmbeddedCluster.start())
