import { EmbeddedCluster } from '@ottla/broker'
import { offsetScenarios } from '../behaviour/kafkajs/offsets.ts'

offsetScenarios(() => EmbeddedCluster.start())
