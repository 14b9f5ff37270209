import type { EmbeddedCluster } from '@ottla/broker'
import type { AclBinding } from 'ottla'
import { PortsTakenError, startEmbedded } from '../broker/embedded.ts'
import type { ClusterProperties, Properties } from '../client/options.ts'
import type { Credentials } from '../terminal/parsers.ts'

/** The cluster of the demo, and its users. */
export interface DemoCluster {
  readonly bootstrapServers: string
  /** Connection properties of the producer's user and of the consumer's. */
  readonly alice: ClusterProperties
  readonly bob: ClusterProperties
  readonly topic: string
  /** A topic that alice may not write to; undefined if none is known. */
  readonly forbiddenTopic: string | undefined
  close(): Promise<void>
}

export const GROUP = 'bob-group'
const PORT = 9093
const BROKERS = 3

/** Three brokers in this process, with users and ACLs, on ports 9093 to 9095 or, if those are in use, on free ones. */
export async function startDemoCluster(
  alice: Credentials,
  bob: Credentials,
  onOtherPorts: () => void,
): Promise<DemoCluster> {
  const options = {
    brokers: BROKERS,
    sasl: { mechanisms: ['PLAIN' as const], users: { [alice.user]: alice.password, [bob.user]: bob.password } },
    acls: [
      ...allow(alice.user, 'topic', 'demo-', 'prefixed', ['write', 'create', 'describe']),
      ...allow(bob.user, 'topic', 'demo-', 'prefixed', ['read', 'describe']),
      ...allow(bob.user, 'group', GROUP, 'literal', ['read']),
    ],
    defaultPartitions: 4,
  }
  const cluster = await startOnPort(PORT).catch((error: unknown) => {
    if (!(error instanceof PortsTakenError)) throw error
    onOtherPorts()
    return startOnPort(0)
  })
  const { bootstrapServers } = cluster
  return {
    ...connections({}, alice, bob, bootstrapServers, freshTopic()),
    forbiddenTopic: 'private-topic',
    close: () => cluster.close(),
  }

  function startOnPort(port: number): Promise<EmbeddedCluster> {
    return startEmbedded({ ...options, port })
  }
}

/** A running cluster. */
export function existingDemoCluster(
  properties: Properties,
  alice: Credentials,
  bob: Credentials,
  topic: string | undefined,
  forbiddenTopic: string | undefined,
): DemoCluster {
  const bootstrapServers = String(properties['bootstrap.servers'])
  return {
    ...connections(properties, alice, bob, bootstrapServers, topic ?? freshTopic()),
    forbiddenTopic,
    close: () => Promise.resolve(),
  }
}

function connections(
  properties: Properties,
  alice: Credentials,
  bob: Credentials,
  bootstrapServers: string,
  topic: string,
): Pick<DemoCluster, 'bootstrapServers' | 'alice' | 'bob' | 'topic'> {
  const connection = (credentials: Credentials): ClusterProperties => ({
    'bootstrap.servers': bootstrapServers,
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': credentials.user,
    'sasl.password': credentials.password,
    'client.id': credentials.user,
    ...properties,
  })
  return { bootstrapServers, alice: connection(alice), bob: connection(bob), topic }
}

function freshTopic(): string {
  return `demo-${Date.now().toString(36)}`
}

function allow(
  user: string,
  resourceType: AclBinding['resourceType'],
  name: string,
  resourcePatternType: AclBinding['resourcePatternType'],
  operations: readonly AclBinding['operation'][],
): AclBinding[] {
  return operations.map(operation => {
    const principal = `User:${user}`
    return { resourceType, name, resourcePatternType, principal, host: '*', permissionType: 'allow', operation }
  })
}
