/** What a storm may do to a cluster and its clients. */
import { ErrorCode } from '@ottla/protocol'
import type { Dice } from './dice.ts'
import { replicationStrikes } from './replication-faults.ts'
import { attempt, brokerHost, brokerOf, clientOf, lasting, type Strike, type Struck, type Target } from './strikes.ts'

function hostAndBroker(target: Target, dice: Dice): { host: string; broker: string } | null {
  const host = clientOf(target, dice)
  return host === null ? null : { host, broker: brokerHost(brokerOf(target, dice)) }
}

const strikes = {
  ...replicationStrikes,

  /** Connections between a client and a broker are reset. */
  cut: (target, dice) => {
    const ends = hostAndBroker(target, dice)
    if (ends === null) return null
    const count = target.network.cut(ends.host, ends.broker)
    return count === 0 ? null : { what: `${count} connections from ${ends.host} to ${ends.broker}` }
  },

  /** All connections of a broker are reset. */
  'cut-broker': (target, dice) => {
    const broker = brokerHost(brokerOf(target, dice))
    const count = target.network.cut(broker)
    return count === 0 ? null : { what: `${count} connections of ${broker}` }
  },

  /** Connections are reset after a few more bytes of a request or a response. */
  'cut-midway': (target, dice) => {
    const ends = hostAndBroker(target, dice)
    if (ends === null) return null
    const [from, to] = dice.chance(0.5) ? [ends.host, ends.broker] : [ends.broker, ends.host]
    const bytes = dice.int(0, dice.pick([20, 200, 5000]))
    const count = target.network.cutAfter(bytes, from, to)
    return count === 0 ? null : { what: `${count} connections ${from} > ${to}, ${bytes} bytes later` }
  },

  /** A client's connections are gone, and the brokers do not notice. */
  vanish: (target, dice) => {
    const host = clientOf(target, dice)
    if (host === null) return null
    const count = target.network.vanish(host)
    return count === 0 ? null : { what: `${count} connections of ${host}` }
  },

  /** What is sent waits until the way is open again: one way or both. */
  'black-hole': (target, dice) => {
    const ends = hostAndBroker(target, dice)
    if (ends === null) return null
    const there = [ends.host, ends.broker] as const
    const back = [ends.broker, ends.host] as const
    const ways = dice.pick([[there], [back], [there, back]])
    const setAll = (way: 'open' | 'black-hole'): void => {
      for (const [from, to] of ways) target.network.setWay(from, to, way)
    }
    setAll('black-hole')
    return { what: ways.map(way => way.join(' > ')).join(', '), lasts: lasting(dice), end: () => setAll('open') }
  },

  /** A client cannot connect to a broker. */
  refuse: (target, dice) => {
    const ends = hostAndBroker(target, dice)
    if (ends === null) return null
    const { network } = target
    network.setWay(ends.host, ends.broker, 'refused')
    network.cut(ends.host, ends.broker)
    return {
      what: `${ends.host} at ${ends.broker}`,
      lasts: dice.int(10, 3000),
      end: () => network.setWay(ends.host, ends.broker, 'open'),
    }
  },

  /** The way between a client and a broker is narrow and slow, in small chunks. */
  narrow: (target, dice) => {
    const ends = hostAndBroker(target, dice)
    if (ends === null) return null
    const { network } = target
    const link = {
      latencyMs: dice.int(1, 300),
      jitterMs: dice.int(0, 100),
      bytesPerMs: dice.pick([100, 1000, 100_000]),
      maxChunkBytes: dice.pick([7, 100, 1500]),
    }
    const setBoth = (to: typeof link | null): void => {
      network.setLink(ends.host, ends.broker, to)
      network.setLink(ends.broker, ends.host, to)
    }
    setBoth(link)
    return { what: `${ends.host} and ${ends.broker}`, lasts: lasting(dice), end: () => setBoth(null) }
  },

  /** A broker is gone for a while, and its partitions have other leaders. */
  down: (target, dice) => {
    const { cluster, brokers, down, fenced } = target
    if (down.size > 0 || fenced.size > 0 || brokers.length === 1) return null
    const id = brokerOf(target, dice)
    down.add(id)
    return {
      what: brokerHost(id),
      begun: cluster.brokerDown(id),
      lasts: lasting(dice),
      end: async () => {
        await cluster.brokerUp(id)
        down.delete(id)
      },
    }
  },

  /** A broker keeps its connections, but answers nothing. */
  pause: (target, dice) => {
    const id = brokerOf(target, dice)
    target.cluster.pauseBroker(id)
    return { what: brokerHost(id), lasts: lasting(dice), end: () => target.cluster.resumeBroker(id) }
  },

  /** A broker takes its time. */
  slow: (target, dice) => {
    const { cluster } = target
    const id = brokerOf(target, dice)
    const ms = dice.int(50, 2000)
    cluster.setRoundTripTime(id, ms)
    return { what: `${brokerHost(id)} by ${ms} ms`, lasts: lasting(dice), end: () => cluster.setRoundTripTime(id, 0) }
  },

  /** A broker asks its clients to wait. */
  throttle: ({ cluster, brokers }, dice) => {
    const id = dice.pick(brokers)
    const ms = dice.int(10, 2000)
    cluster.setThrottle(id, ms)
    return { what: `${brokerHost(id)} by ${ms} ms`, lasts: lasting(dice), end: () => cluster.setThrottle(id, 0) }
  },

  /** The last broker has another port; the others are those that clients begin with. */
  move: ({ cluster, brokers, down }) => {
    const id = brokers.at(-1)
    if (id === undefined || brokers.length === 1 || down.size > 0) return null
    return { what: brokerHost(id), begun: cluster.moveBroker(id) }
  },

  /** A group has another coordinator. */
  'group-coordinator': ({ cluster, brokers, groups }, dice) => {
    if (groups.length === 0) return null
    const group = dice.pick(groups)
    const id = dice.pick(brokers)
    return attempt(`${group} to ${brokerHost(id)}`, () => cluster.setCoordinator('group', group, id))
  },

  /** A transactional id has another coordinator. */
  'transaction-coordinator': ({ cluster, brokers, transactionalIds }, dice) => {
    if (transactionalIds.length === 0) return null
    const transactionalId = dice.pick(transactionalIds)
    const id = dice.pick(brokers)
    return attempt(`${transactionalId} to ${brokerHost(id)}`, () =>
      cluster.setCoordinator('transaction', transactionalId, id),
    )
  },

  /** A broker answers a few requests of one kind with errors that it might really answer. */
  error: ({ cluster, brokers }, dice) => {
    const id = dice.pick(brokers)
    const { name, key, codes } = dice.pick(likelyErrors)
    const errors = Array.from({ length: dice.int(1, 3) }, () => dice.pick(codes))
    cluster.failNextOn(id, key, errors)
    return { what: `${name} at ${brokerHost(id)}: ${errors.join(', ')}` }
  },
} satisfies Record<FaultKind, Strike>

/**
 * The kinds of faults.
 * @since 0.1.0
 */
export type FaultKind =
  | 'black-hole'
  | 'clock-skew'
  | 'coordinator-load'
  | 'crash'
  | 'cut'
  | 'cut-broker'
  | 'cut-midway'
  | 'down'
  | 'error'
  | 'group-coordinator'
  | 'leader'
  | 'metadata-lag'
  | 'move'
  | 'narrow'
  | 'pause'
  | 'refuse'
  | 'replication-lag'
  | 'slow'
  | 'stop-replication'
  | 'throttle'
  | 'transaction-coordinator'
  | 'vanish'
  | 'zombie'

export const faultKinds = Object.keys(strikes) as FaultKind[]

/** Strikes once. @returns null if there is nothing to strike */
export function strike(kind: FaultKind, target: Target, dice: Dice): Struck | null {
  return strikes[kind](target, dice)
}

const {
  ERR_COORDINATOR_LOAD_IN_PROGRESS: loading,
  ERR_COORDINATOR_NOT_AVAILABLE: unavailable,
  ERR_NOT_COORDINATOR: notCoordinator,
  ERR_NOT_LEADER_FOR_PARTITION: notLeader,
  ERR_REQUEST_TIMED_OUT: timedOut,
  ERR_REBALANCE_IN_PROGRESS: rebalancing,
  ERR_UNKNOWN_MEMBER_ID: unknownMember,
  ERR_CONCURRENT_TRANSACTIONS: concurrent,
  ERR_FENCED_MEMBER_EPOCH: fencedMember,
} = ErrorCode
const coordinator = [loading, unavailable, notCoordinator]

const likelyErrors: readonly { name: string; key: number; codes: readonly number[] }[] = [
  {
    name: 'Produce',
    key: 0,
    codes: [notLeader, timedOut, ErrorCode.ERR_NOT_ENOUGH_REPLICAS, ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND],
  },
  {
    name: 'Fetch',
    key: 1,
    codes: [
      notLeader,
      ErrorCode.ERR_FENCED_LEADER_EPOCH,
      ErrorCode.ERR_UNKNOWN_LEADER_EPOCH,
      ErrorCode.ERR_REPLICA_NOT_AVAILABLE,
    ],
  },
  { name: 'ListOffsets', key: 2, codes: [notLeader, ErrorCode.ERR_LEADER_NOT_AVAILABLE, timedOut] },
  { name: 'Metadata', key: 3, codes: [timedOut] },
  { name: 'OffsetCommit', key: 8, codes: [...coordinator, rebalancing] },
  { name: 'OffsetFetch', key: 9, codes: coordinator },
  { name: 'FindCoordinator', key: 10, codes: [unavailable] },
  { name: 'JoinGroup', key: 11, codes: [...coordinator, rebalancing] },
  { name: 'Heartbeat', key: 12, codes: [...coordinator, rebalancing, unknownMember] },
  { name: 'SyncGroup', key: 14, codes: [...coordinator, rebalancing] },
  { name: 'InitProducerId', key: 22, codes: [...coordinator, concurrent] },
  { name: 'AddPartitionsToTxn', key: 24, codes: [...coordinator, concurrent] },
  { name: 'AddOffsetsToTxn', key: 25, codes: [...coordinator, concurrent] },
  { name: 'EndTxn', key: 26, codes: [...coordinator, concurrent] },
  { name: 'TxnOffsetCommit', key: 28, codes: [...coordinator, timedOut] },
  { name: 'ConsumerGroupHeartbeat', key: 68, codes: [...coordinator, unknownMember, fencedMember] },
  { name: 'ShareGroupHeartbeat', key: 76, codes: [...coordinator, unknownMember, fencedMember] },
  {
    name: 'ShareFetch',
    key: 78,
    codes: [
      notLeader,
      ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
      ErrorCode.ERR_UNKNOWN_TOPIC_ID,
      ErrorCode.ERR_SHARE_SESSION_NOT_FOUND,
      ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH,
    ],
  },
  {
    name: 'ShareAcknowledge',
    key: 79,
    codes: [
      notLeader,
      ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
      ErrorCode.ERR_SHARE_SESSION_NOT_FOUND,
      ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH,
      timedOut,
    ],
  },
]
