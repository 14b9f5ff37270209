import { EmbeddedCluster } from '@ottla/broker'
import { streamingScenarios } from '../behaviour/node-rdkafka/streaming.ts'

streamingScenarios(() => EmbeddedCluster.start())
