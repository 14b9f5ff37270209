/** Where partitions end, and what groups have committed. */
import type { World } from './world.ts'

const LIMIT_MS = 60_000

/** The offset behind everything in each partition, transaction markers included. */
export async function endOffsets(world: World, topic: string, partitions: number): Promise<readonly number[]> {
  const producer = world.producer('surveyor', {})
  const ends = await world.settle(
    Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const { high } = await producer.queryWatermarkOffsets(topic, partition, LIMIT_MS)
        return high
      }),
    ),
    LIMIT_MS,
    `asking for the ends of ${topic}`,
  )
  await world.settle(producer.close(), LIMIT_MS, 'closing the surveyor')
  return ends ?? []
}

/** Complains where a group that has read everything has not committed the end. */
export function checkLag(world: World, group: string, topic: string, ends: readonly number[]): void {
  const committed = new Map<number, number>()
  for (const each of world.cluster.committedOffsets(group)) {
    if (each.topic === topic) committed.set(each.partition, each.offset)
  }
  ends.forEach((end, partition) => {
    const offset = committed.get(partition) ?? 0
    if (offset !== end)
      world.complain(`${offset} is committed for partition ${partition} of ${topic}, which ends at ${end}`)
  })
}

/** Sometimes the cluster has transactions of version 1, which clients drive differently. */
export async function maybeVersion1(world: World): Promise<void> {
  if (!world.dice.chance(0.3)) return
  const admin = world.admin('admin')
  const updates = [{ feature: 'transaction.version', maxVersionLevel: 1, upgradeType: 'safe-downgrade' as const }]
  const results = await world.settle(admin.updateFeatures(updates), LIMIT_MS, 'the older version of transactions')
  const error = results?.find(result => result.error !== undefined)?.error
  if (error !== undefined) world.complain(`transactions of version 1: ${error.message}`)
  world.note('transactions of version 1')
  await world.settle(admin.close(), LIMIT_MS, 'closing the administration')
}
