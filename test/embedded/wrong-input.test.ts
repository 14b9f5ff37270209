import { EmbeddedCluster } from '@ottla/broker'
import { wrongInputScenarios } from '../behaviour/wrong-input.ts'

wrongInputScenarios(() => EmbeddedCluster.start())
