import { EmbeddedCluster } from '@ottla/broker'
import { kafkaConnectScenarios } from '../behaviour/kafka-connect.ts'

kafkaConnectScenarios(() => EmbeddedCluster.start())
