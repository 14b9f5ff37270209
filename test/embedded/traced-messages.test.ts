import { EmbeddedCluster } from '@ottla/broker'
import { tracedMessageScenarios } from '../behaviour/traced-messages.ts'

tracedMessageScenarios(() => EmbeddedCluster.start())
