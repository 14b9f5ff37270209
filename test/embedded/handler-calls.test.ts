import { EmbeddedCluster } from '@ottla/broker'
import { handlerCallScenarios } from '../behaviour/handler-calls.ts'

handlerCallScenarios(() => EmbeddedCluster.start())
