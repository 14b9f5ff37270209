/** Makes the state that the brokers of a cluster share. */
import { ApiKey } from '@ottla/protocol'
import { Brokers, type BrokerInfo } from './base/brokers.ts'
import { backgroundClock, systemClock } from './base/clock.ts'
import { PerBroker } from './base/per-broker.ts'
import { newUuid, seededRandom, systemRandom, type Random } from './base/random.ts'
import { BrokerConfigs } from './configs/broker-configs.ts'
import { Groups } from './groups/groups.ts'
import { ShareSessions } from './groups/share-sessions.ts'
import { servedApis } from './handlers/routes.ts'
import type { Stores } from './handlers/stores.ts'
import type { EmbeddedClusterOptions } from './options.ts'
import { ClientQuotas } from './quotas/client-quotas.ts'
import { Features } from './releases/features.ts'
import { versionsOf } from './releases/versions.ts'
import { Replication, logsOf } from './replication/replication.ts'
import { Authorizer } from './security/acls.ts'
import type { ListenerPlan } from './listeners.ts'
import type { ListenerLogIn, LogIn } from './security/log-in.ts'
import { unsecuredTokens } from './security/sasl/oauthbearer.ts'
import { TokenStore } from './security/tokens.ts'
import { UserStore } from './security/users.ts'
import type { Storage } from './storage/storage.ts'
import { ClientMetrics } from './telemetry/client-metrics.ts'
import { Telemetry } from './telemetry/telemetry.ts'
import { LogCleaner } from './topics/cleaner.ts'
import { Coordinators } from './topics/coordinators.ts'
import { OFFSETS_TOPIC } from './topics/internal-topics.ts'
import { FetchSessions } from './topics/fetch-sessions.ts'
import { Retention } from './topics/retention.ts'
import { TopicStore } from './topics/topics.ts'
import { TransactionCoordinator } from './transactions/coordinator.ts'
import { writeMarker } from './transactions/markers.ts'
import { ProducerIdSource } from './transactions/producer-ids.ts'
import { TransactionalOffsets } from './transactions/transactional-offsets.ts'
import { UnreplicatedMarkers } from './transactions/unreplicated-markers.ts'

const DEFAULT_PARTITIONS = 4
const TRANSACTION_MAX_TIMEOUT_MS = 900_000
// The shortest possible, so that tests need not wait; the longest is Kafka's default.
const MIN_SESSION_MS = 1
const MAX_SESSION_MS = 1_800_000
// Kafka's default for replica.lag.time.max.ms.
const REPLICA_LAG_TIME_MAX_MS = 30_000
const MAX_BYTES = 1024 * 1024 * 1024
// The first version of EndTxn with transaction version 2 (KIP-890).
const EPOCH_BUMPING_END_TXN = 5

/** @param storage null: everything is in memory only */
export function makeStores(
  options: EmbeddedClusterOptions,
  infos: readonly BrokerInfo[],
  plans: readonly ListenerPlan[],
  storage: Storage | null,
): Stores {
  const clock = options.clock ?? (options.unref === true ? backgroundClock : systemClock)
  const random = options.seed === undefined ? systemRandom : seededRandom(options.seed)
  const brokers = new Brokers(infos)
  const topics = new TopicStore(
    () => brokers.all.map(({ id }) => id),
    options.defaultPartitions ?? DEFAULT_PARTITIONS,
    id => brokers.isUp(id),
    random,
  )
  const brokerConfigs = new BrokerConfigs(new Map(Object.entries(options.configs ?? {})))
  topics.brokerDefault = name => brokerConfigs.topicDefault(name)
  topics.defaultFactor = brokerConfigs.defaultFactor
  topics.persistence = storage
  const users = usersOf(options, plans, random)
  const clusterId = storage?.clusterId ?? newUuid(random)
  const logIn: LogIn = {
    users,
    tokens: new TokenStore(clock, random),
    random,
  }
  const listeners = plans.map(({ name, sasl }, index): ListenerLogIn => ({
    name,
    index,
    mechanisms: sasl?.mechanisms ?? [],
    validateToken: sasl?.validateToken ?? unsecuredTokens(() => clock.now()),
    maxReauthMs: sasl?.maxReauthMs ?? 0,
  }))
  const coordinators = new Coordinators(topics, brokers, clock)
  const groups = new Groups({
    clock,
    topics,
    classic: {
      initialRebalanceDelayMs: options.groupInitialRebalanceDelayMs ?? 0,
      maxSize: options.groupMaxSize ?? Infinity,
      random,
    },
    sessionLimits: {
      minMs: options.groupMinSessionTimeoutMs ?? MIN_SESSION_MS,
      maxMs: options.groupMaxSessionTimeoutMs ?? MAX_SESSION_MS,
    },
    persistence: storage,
    brokerSettings: brokerConfigs.given,
  })
  const transactionalOffsets = new TransactionalOffsets(storage)
  const producerIds = new ProducerIdSource(options.producerIds ?? 'sequential', random, storage)
  const versions = versionsOf(options.as ?? '4.3', servedApis(options.onTelemetry !== undefined))
  const unreplicated = new UnreplicatedMarkers()
  const markerStores = { topics, brokers, clock, coordinators, groups, transactionalOffsets, unreplicated }
  const transactions = new TransactionCoordinator({
    clock,
    maxTimeoutMs: options.transactionMaxTimeoutMs ?? TRANSACTION_MAX_TIMEOUT_MS,
    bumpsEpoch: (versions.get(ApiKey.EndTxn)?.max ?? 0) >= EPOCH_BUMPING_END_TXN,
    nextProducerId: () => producerIds.next(),
    writeMarker: (partition, marker, again) => writeMarker(markerStores, partition, marker, again),
    changed: transaction => storage?.transactionChanged(transaction),
  })
  topics.onDeleted(topic => groups.forgetTopic(topic))
  topics.onDeleted(topic => transactionalOffsets.forgetTopic(topic.name))
  const maxLagMs = options.replicaLagTimeMaxMs ?? REPLICA_LAG_TIME_MAX_MS
  const replication =
    options.replication === 'simulated'
      ? new Replication({
          ...{ clock, random, brokers, topics, maxLagMs },
          holdsBelowMinInSync: options.as !== '2.1',
          onCoordinatorMoved: (topic, partition) => {
            coordinators.moved(topic, partition)
            if (topic !== OFFSETS_TOPIC) return
            groups.moved(groupId => coordinators.offsetsPartition(groupId).partition === partition)
          },
        })
      : null
  topics.replicator = replication
  const clientMetrics = new ClientMetrics()
  const receive = options.onTelemetry
  return {
    clusterId,
    clock,
    brokers,
    topics,
    autoCreateTopics: options.autoCreateTopics ?? true,
    retention: new Retention({
      topics,
      clock,
      maxBytes: options.maxBytes ?? MAX_BYTES,
      expire: () => {
        transactions.expire()
        logIn.tokens.clean()
        groups.expire()
      },
    }),
    cleaner:
      options.compactEveryMs === undefined
        ? null
        : new LogCleaner({
            topics,
            clock,
            logsOf: topic => logsOf(topic, replication),
            everyMs: options.compactEveryMs,
          }),
    coordinators,
    replication,
    fetchSessions: new PerBroker(() => new FetchSessions(clock)),
    preferredReplicas: new Map(),
    groups,
    shareSessions: new PerBroker(() => new ShareSessions()),
    transactions,
    transactionalOffsets,
    producerIds,
    authorizer: authorizerOf(options),
    logIn,
    listeners,
    quotas: new ClientQuotas(clock),
    clientMetrics,
    telemetry: receive === undefined ? null : new Telemetry({ clock, random, subscriptions: clientMetrics, receive }),
    brokerConfigs,
    logLevels: new PerBroker(() => new Map([['root', 'INFO']])),
    versions,
    features: new Features(versions),
  }
}

// As in Kafka there is none by default, and super users alone do not make one.
function authorizerOf({ acls, superUsers = [], allowEveryoneIfNoAclFound }: EmbeddedClusterOptions): Authorizer {
  const bindings = acls ?? (allowEveryoneIfNoAclFound === undefined ? null : [])
  return new Authorizer(bindings, superUsers, allowEveryoneIfNoAclFound)
}

// All listeners share the users.
function usersOf({ sasl }: EmbeddedClusterOptions, plans: readonly ListenerPlan[], random: Random): UserStore {
  const users = new UserStore(
    plans.flatMap(plan => plan.sasl?.mechanisms ?? []),
    random,
  )
  for (const given of new Set([sasl, ...plans.map(plan => plan.sasl)])) {
    for (const [name, user] of Object.entries(given?.users ?? {})) users.set(name, user)
  }
  return users
}

/** Answers all waiting members and stops all timers. */
export function closeStores({ groups, transactions, replication, retention, cleaner }: Stores): void {
  groups.close()
  transactions.close()
  retention.close()
  cleaner?.close()
  replication?.close()
}
