import { EmbeddedCluster } from '@ottla/broker'
import { consumerRunScenarios } from '../behaviour/consumer-run.ts'

consumerRunScenarios(() => EmbeddedCluster.start())
