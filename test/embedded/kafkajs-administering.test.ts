import { EmbeddedCluster } from '@ottla/broker'
import { administeringScenarios } from '../behaviour/kafkajs/administering.ts'

administeringScenarios(() => EmbeddedCluster.start({ brokers: 3 }))
