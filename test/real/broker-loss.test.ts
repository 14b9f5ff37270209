import { brokerLossScenarios } from '../behaviour/broker-loss.ts'
import { ownSecuredKafka } from './worlds.ts'

brokerLossScenarios(ownSecuredKafka)
