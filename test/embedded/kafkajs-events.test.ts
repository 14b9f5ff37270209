import { EmbeddedCluster } from '@ottla/broker'
import { eventScenarios } from '../behaviour/kafkajs/events.ts'

eventScenarios(() => EmbeddedCluster.start())
