import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { AdminClient } from 'ottla'
import { exactlyOnceScenarios } from '../behaviour/exactly-once.ts'
import { producerTransactionScenarios } from '../behaviour/producer-transactions.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'
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

describe('transactions of version 1 at a broker that could do version 2', () => {
  producerTransactionScenarios(async () => {
    const cluster = await startKafka({ brokers: 1 })
    try {
      await takeVersion1(cluster)
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  })
})

async function takeVersion1({ bootstrapServers }: KafkaCluster): Promise<void> {
  await using admin = new AdminClient({ 'bootstrap.servers': bootstrapServers })
  const downgrade = { feature: 'transaction.version', maxVersionLevel: 1, upgradeType: 'safe-downgrade' } as const
  assert.deepEqual(await admin.updateFeatures([downgrade]), [{ feature: 'transaction.version' }])
  const isInForce = async (): Promise<boolean> =>
    (await admin.describeFeatures()).finalized['transaction.version']?.max === 1
  while (!(await isInForce())) await new Promise(resolve => setTimeout(resolve, 20))
}
