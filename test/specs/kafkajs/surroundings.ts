/** What kafkajs's own docker-compose file starts: three brokers with listeners for plain text, TLS, and SASL over TLS. */
import { EmbeddedCluster, type AclBinding } from '@ottla/broker'
import { AdminClient, type ScramMechanism } from 'ottla'
import { Authority } from '../../harness/certificates.ts'
import { startKafka } from '../../harness/kafka.ts'
import type { World } from '../results.ts'
import type { SpecBrokers } from '../suite.ts'

/** Addresses of the listeners. */
export interface Surroundings extends SpecBrokers {
  readonly plain: string
  readonly ssl: string
  readonly sasl: string
}

const users = { test: 'testtest', bob: 'bobbob', alice: 'alicealice' }
const scramUser = 'testscram'
const scramPasswords = { 'SCRAM-SHA-256': 'testtestscram=256', 'SCRAM-SHA-512': 'testtestscram=512' }
const BROKERS = 3
const ITERATIONS = 8192

export function startSurroundings(world: World): Promise<Surroundings> {
  return world === 'embedded' ? startEmbedded() : startReal()
}

/** A cluster for each listener: those of one embedded cluster are all alike. */
async function startEmbedded(): Promise<Surroundings> {
  const authority = Authority.make('kafkajs specs')
  const { key, cert } = authority.issue({ subject: '/CN=broker', names: 'DNS:localhost,IP:127.0.0.1' })
  const common = { brokers: BROKERS, defaultPartitions: 2 }
  const clusters = await Promise.all([
    EmbeddedCluster.start(common),
    EmbeddedCluster.start({ ...common, tls: { key, cert } }),
    EmbeddedCluster.start({
      ...common,
      tls: { key, cert },
      sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], users: { ...users, [scramUser]: 'replaced' } },
      superUsers: ['test', scramUser],
      acls: everyoneMayDoEverything,
    }),
  ])
  const [plain = '', ssl = '', sasl = ''] = clusters.map(({ bootstrapServers }) => bootstrapServers)
  await setScramPasswords({
    'bootstrap.servers': sasl,
    'security.protocol': 'sasl_ssl',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'test',
    'sasl.password': users.test,
    'ssl.ca.location': authority.certFile,
  })
  return {
    plain,
    ssl,
    sasl,
    close: async () => {
      await Promise.all(clusters.map(cluster => cluster.close()))
    },
  }
}

async function startReal(): Promise<Surroundings> {
  const cluster = await startKafka({
    brokers: BROKERS,
    tls: true,
    sasl: { users },
    acls: true,
    superUsers: Object.keys(users).slice(0, 1),
    config: {
      'allow.everyone.if.no.acl.found': 'true',
      'listener.name.certificates.ssl.client.auth': 'none',
      'num.partitions': '2',
      'default.replication.factor': '2',
      'min.insync.replicas': '1',
    },
  })
  await setScramPasswords({ 'bootstrap.servers': cluster.plainBootstrapServers })
  const { tls, plainBootstrapServers: plain } = cluster
  if (tls === undefined) throw new Error('the cluster has no TLS listeners')
  return { plain, ssl: tls.certificateServers, sasl: tls.passwordServers, close: () => cluster.close() }
}

/** As `allow.everyone.if.no.acl.found`. */
const everyoneMayDoEverything: readonly AclBinding[] = (['topic', 'group', 'transactional-id', 'cluster'] as const).map(
  resourceType => ({
    resourceType,
    name: resourceType === 'cluster' ? 'kafka-cluster' : '*',
    resourcePatternType: 'literal',
    principal: 'User:*',
    host: '*',
    permissionType: 'allow',
    operation: 'all',
  }),
)

async function setScramPasswords(config: ConstructorParameters<typeof AdminClient>[0]): Promise<void> {
  const admin = new AdminClient(config)
  try {
    for (const [mechanism, password] of Object.entries(scramPasswords) as [ScramMechanism, string][]) {
      const [result] = await admin.alterUserScramCredentials([
        { user: scramUser, mechanism, iterations: ITERATIONS, password },
      ])
      if (result?.error !== undefined) throw result.error
    }
  } finally {
    await admin.close()
  }
}
