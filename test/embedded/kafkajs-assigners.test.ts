import { EmbeddedCluster } from '@ottla/broker'
import { assignerScenarios } from '../behaviour/kafkajs/assigners.ts'

assignerScenarios(() => EmbeddedCluster.start())
