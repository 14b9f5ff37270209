/** What a storm may do to replicas. Nothing of it loses what was acknowledged with acks=all. */
import { attempt, brokerHost, brokerOf, lasting, type Strike, type Target } from './strikes.ts'

/** Whether every partition keeps a live replica in sync when a broker is gone. */
function isSpare({ cluster, down, fenced }: Target, id: number): boolean {
  return cluster
    .topics()
    .every(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => cluster.replicas(name, partition)).every(
        replicas =>
          replicas.every(replica => replica.broker !== id) ||
          replicas.some(({ broker, inSync }) => inSync && broker !== id && !down.has(broker) && !fenced.has(broker)),
      ),
    )
}

function inSyncBrokers(cluster: Target['cluster'], topic: string, partition: number): number[] {
  return cluster
    .replicas(topic, partition)
    .filter(({ inSync }) => inSync)
    .map(({ broker }) => broker)
}

/** A storm may do these where replication is simulated. */
export const replicationStrikes = {
  /** A broker is lost with what was not on its disk; others have it. */
  crash: (target, dice) => {
    const { cluster, brokers, down } = target
    const id = brokerOf(target, dice)
    const detectionDelayMs = dice.pick([0, 500, 9000])
    if (!target.isReplicated || down.size > 0 || brokers.length === 1 || !isSpare(target, id)) return null
    down.add(id)
    return {
      what: `${brokerHost(id)}, noticed after ${detectionDelayMs} ms`,
      begun: cluster.brokerDown(id, { forgets: true, detectionDelayMs }),
      lasts: lasting(dice),
      end: async () => {
        await cluster.brokerUp(id)
        down.delete(id)
      },
    }
  },

  /** A broker copies slowly. */
  'replication-lag': (target, dice) => {
    if (!target.isReplicated) return null
    const id = dice.pick(target.brokers)
    const ms = dice.int(20, 3000)
    target.cluster.setReplicationLag(id, ms)
    return {
      what: `${brokerHost(id)} by ${ms} ms`,
      lasts: lasting(dice),
      end: () => target.cluster.setReplicationLag(id, null),
    }
  },

  /** A broker copies nothing. */
  'stop-replication': (target, dice) => {
    if (!target.isReplicated) return null
    const id = dice.pick(target.brokers)
    target.cluster.stopReplication(id)
    return { what: brokerHost(id), lasts: lasting(dice), end: () => target.cluster.resumeReplication(id) }
  },

  /** A broker hears late of new leaders. */
  'metadata-lag': (target, dice) => {
    if (!target.isReplicated) return null
    const id = dice.pick(target.brokers)
    const ms = dice.int(20, 5000)
    target.cluster.setMetadataLag(id, ms)
    return {
      what: `${brokerHost(id)} by ${ms} ms`,
      lasts: lasting(dice),
      end: () => target.cluster.setMetadataLag(id, 0),
    }
  },

  /** A broker is taken for dead, and hears of it late: until then it takes itself for the leader. */
  zombie: (target, dice) => {
    const { cluster, fenced, down } = target
    const id = brokerOf(target, dice)
    const ms = dice.int(20, 5000)
    if (!target.isReplicated || fenced.size > 0 || down.size > 0 || !isSpare(target, id)) return null
    fenced.add(id)
    cluster.setMetadataLag(id, ms)
    cluster.fenceBroker(id)
    return {
      what: `${brokerHost(id)}, which hears of it ${ms} ms later`,
      lasts: lasting(dice),
      end: () => {
        cluster.unfenceBroker(id)
        cluster.setMetadataLag(id, 0)
        fenced.delete(id)
      },
    }
  },

  /** Coordinators take their time to read what they took over. */
  'coordinator-load': ({ cluster, isReplicated }, dice) => {
    if (!isReplicated) return null
    const ms = dice.int(100, 5000)
    cluster.setCoordinatorLoadTime(ms)
    return { what: `${ms} ms`, lasts: lasting(dice), end: () => cluster.setCoordinatorLoadTime(50) }
  },

  /** A broker's clock steps. */
  'clock-skew': ({ cluster, brokers }, dice) => {
    const id = dice.pick(brokers)
    const ms = dice.int(-120_000, 120_000)
    cluster.setClockSkew(id, ms)
    return { what: `${brokerHost(id)} by ${ms} ms`, lasts: lasting(dice), end: () => cluster.setClockSkew(id, 0) }
  },

  /** Another replica that is in sync becomes the leader. */
  leader: ({ cluster, brokers, isReplicated }, dice) => {
    const topics = cluster.topics()
    if (topics.length === 0) return null
    const { name, partitions } = dice.pick(topics)
    const partition = dice.int(0, partitions - 1)
    const able = isReplicated ? inSyncBrokers(cluster, name, partition) : brokers
    if (able.length === 0) return null
    const id = dice.pick(able)
    return attempt(`${name} [${partition}] to ${brokerHost(id)}`, () => cluster.setLeader(name, partition, id))
  },
} satisfies Record<string, Strike>
