/** What node-rdkafka's own script starts: one broker with six topics of one partition. */
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient } from 'ottla'
import { startKafka } from '../../harness/kafka.ts'
import type { World } from '../results.ts'
import type { SpecBrokers } from '../suite.ts'

export interface Surroundings extends SpecBrokers {
  /** `bootstrap.servers` */
  readonly address: string
}

const topics = ['test', 'test2', 'test3', 'test4', 'test5', 'test6']

export async function startSurroundings(world: World): Promise<Surroundings> {
  const cluster =
    world === 'embedded'
      ? await EmbeddedCluster.start({ defaultPartitions: 1 })
      : await startKafka({ brokers: 1, config: { 'num.partitions': '1' } })
  const address = 'plainBootstrapServers' in cluster ? cluster.plainBootstrapServers : cluster.bootstrapServers
  const admin = new AdminClient({ 'bootstrap.servers': address })
  try {
    await admin.createTopics(topics.map(topic => ({ topic, numPartitions: 1, replicationFactor: 1 })))
    await coordinated(admin)
  } finally {
    await admin.close()
  }
  return { address, close: () => cluster.close() }
}

/** Groups have coordinators: a cluster that has just started answers librdkafka's first calls with errors before that. */
async function coordinated(admin: AdminClient): Promise<void> {
  const groups = Array.from({ length: 32 }, (_, i) => `of-no-interest-${i}`)
  await Promise.all(groups.map(group => admin.listConsumerGroupOffsets(group)))
}
