import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { EmbeddedCluster } from '@ottla/broker'
import { seeded } from '../chaos/random.ts'
import { transactionChaos } from '../chaos/transactions/transaction-chaos.ts'

for (const [version, release, protocol] of [
  [2, '4.3', 'consumer'],
  [1, '3.9', 'classic'],
] as const) {
  test(`transactions of version ${version} stay whole while brokers are lost and instances fenced off`, async () => {
    await using cluster = await EmbeddedCluster.start({ brokers: 3, as: release })
    const random = seeded(7)
    const { complaints } = await transactionChaos({
      bootstrapServers: cluster.bootstrapServers,
      name: 'transaction-chaos',
      partitions: 4,
      writers: 4,
      copiers: 2,
      protocol,
      seconds: 3,
      leastCommitted: 11,
      random,
      async disturb(until) {
        while (Date.now() < until) {
          const id = 1 + Math.floor(random() * 3)
          cluster.setRoundTripTime(-1, Math.floor(random() * 4))
          if (random() < 0.5) cluster.dropConnections(id)
          else {
            await cluster.brokerDown(id)
            await pause(50 + random() * 200)
            await cluster.brokerUp(id)
          }
          await pause(50 + random() * 200)
        }
        cluster.setRoundTripTime(-1, 0)
      },
      log: () => undefined,
    })
    assert.deepEqual(complaints, [])
  })
}
