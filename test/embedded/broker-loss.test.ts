import { brokerLossScenarios } from '../behaviour/broker-loss.ts'
import { embeddedWorld } from './worlds.ts'

brokerLossScenarios(embeddedWorld)
