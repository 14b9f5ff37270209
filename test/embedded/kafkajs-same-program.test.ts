import { EmbeddedCluster } from '@ottla/broker'
import { sameProgramScenarios } from '../behaviour/kafkajs/same-program.ts'

sameProgramScenarios(() => EmbeddedCluster.start({ brokers: 2 }))
