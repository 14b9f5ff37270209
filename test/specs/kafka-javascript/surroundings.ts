/** What Confluent's own docker-compose file starts: one broker, with four partitions for topics that are made by use. */
import { EmbeddedCluster } from '@ottla/broker'
import { startKafka } from '../../harness/kafka.ts'
import type { World } from '../results.ts'
import type { SpecBrokers } from '../suite.ts'

export interface Surroundings extends SpecBrokers {
  /** `bootstrap.servers` */
  readonly address: string
}

const PARTITIONS = 4

export async function startSurroundings(world: World): Promise<Surroundings> {
  const cluster =
    world === 'embedded'
      ? await EmbeddedCluster.start({ defaultPartitions: PARTITIONS })
      : await startKafka({
          brokers: 1,
          acls: true,
          config: { 'num.partitions': String(PARTITIONS), ...everyoneMayDoEverything },
        })
  const address = 'plainBootstrapServers' in cluster ? cluster.plainBootstrapServers : cluster.bootstrapServers
  return { address, close: () => cluster.close() }
}

const everyoneMayDoEverything = { 'allow.everyone.if.no.acl.found': 'true' }
