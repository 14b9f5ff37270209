import { EmbeddedCluster } from '@ottla/broker'
import { describe } from 'node:test'
import { exactlyOnceScenarios } from '../behaviour/exactly-once.ts'
import { producerTransactionScenarios } from '../behaviour/producer-transactions.ts'

for (const [version, release] of [
  [2, '4.3'],
  [1, '3.9'],
] as const) {
  describe(`transactions of version ${version}`, () => {
    producerTransactionScenarios(() => EmbeddedCluster.start({ as: release }))
    exactlyOnceScenarios(() => EmbeddedCluster.start({ as: release }))
  })
}
// No next epoch of an id (KIP-360), no members in commits (KIP-447).
describe('transactions of Kafka 2.1', () => producerTransactionScenarios(() => EmbeddedCluster.start({ as: '2.1' })))
