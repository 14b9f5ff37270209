import { describe } from 'node:test'
import { exactlyOnceScenarios } from '../behaviour/exactly-once.ts'
import { producerTransactionScenarios } from '../behaviour/producer-transactions.ts'
import { sharedKafka } from '../harness/shared.ts'

for (const [version, which] of [
  [2, 'single'],
  [1, 'old'],
] as const) {
  describe(`transactions of version ${version}`, () => {
    producerTransactionScenarios(() => sharedKafka(which))
    exactlyOnceScenarios(() => sharedKafka(which))
  })
}
