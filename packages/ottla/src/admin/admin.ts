import { ErrorCode } from '@ottla/protocol'
import { nextTurn } from '../base/turn.ts'
import { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext, type ClientOptions } from '../cluster/context.ts'
import { clientHandle, type ClientHandle } from '../cluster/handle.ts'
import { getMetadata } from '../cluster/queries.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import { resolveConfig, type AdminConfig } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import type { Event, Metadata, TopicPartition, TopicPartitionOffset, OAuthBearerToken } from '../types.ts'
import { startCall, type AdminCall, type AdminOptions, type DescribeOptions } from './call.ts'
import * as cluster from './cluster.ts'
import * as configs from './configs.ts'
import * as tokens from './delegation-tokens.ts'
import * as groupOffsets from './group-offsets.ts'
import * as features from './features.ts'
import * as listings from './group-listings.ts'
import * as members from './group-members.ts'
import * as groups from './groups.ts'
import * as leaders from './leaders.ts'
import * as logDirs from './log-dirs.ts'
import * as producers from './producers.ts'
import * as quorum from './quorum.ts'
import * as quotas from './quotas.ts'
import * as reassignments from './reassignments.ts'
import * as scram from './scram.ts'
import * as security from './security.ts'
import * as shareGroups from './share-groups.ts'
import * as topics from './topics.ts'
import * as transactions from './transactions.ts'

/**
 * What an admin client hears about; every call's own outcome goes to its promise.
 * @since 0.1.0
 */
export type AdminEvent = Extract<Event, { type: 'error' | 'stats' | 'throttle' | 'log' }>

type AdminListener<T extends AdminEvent['type']> = (event: Extract<AdminEvent, { type: T }>) => void

/**
 * Administers a cluster. Arguments are checked before anything is sent (KafkaError ERR__INVALID_ARG naming the
 * culprit). Where a call is for several things, what the broker says about one of them is that result's `error`;
 * the call itself rejects only when it got no answer at all: ERR__TIMED_OUT, ERR__AUTHENTICATION,
 * ERR__UNSUPPORTED_FEATURE (the brokers are too old), ERR__STATE (closed), ERR__DESTROY (closed meanwhile), or the
 * signal's reason. Results come in the order asked for.
 * @since 0.1.0
 */
export class AdminClient implements AsyncDisposable {
  readonly #handle: ClientHandle
  readonly #owned: boolean
  #closed = false

  /**
   * Connects in the background.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work
   */
  constructor(config: AdminConfig, options: ClientOptions = {}) {
    const shared = sharedHandles.get(config)
    this.#owned = shared === undefined
    this.#handle = shared ?? open(config, options)
  }

  /** Shares the connections and credentials of another client. Closing the one does not close the other. */
  static from(client: { readonly [clientHandle]: ClientHandle }): AdminClient {
    const config: AdminConfig = {}
    sharedHandles.set(config, client[clientHandle])
    return new AdminClient(config)
  }

  /** Creates topics on the cluster, with the broker's defaults for what is left out. */
  createTopics(newTopics: readonly topics.NewTopic[], options?: AdminOptions): Promise<topics.CreateTopicResult[]> {
    return this.#run(options, call => topics.createTopics(call, newTopics))
  }

  /** Deletes topics and all that is in them. */
  deleteTopics(names: readonly string[], options?: AdminOptions): Promise<topics.TopicResult[]> {
    return this.#run(options, call => topics.deleteTopics(call, names))
  }

  /** Adds partitions to topics; keys land in other partitions from then on. */
  createPartitions(what: readonly topics.NewPartitions[], options?: AdminOptions): Promise<topics.TopicResult[]> {
    return this.#run(options, call => topics.createPartitions(call, what))
  }

  /** Tells where the partitions of topics are. A topic that does not exist is its result's error, and is not created. */
  describeTopics(names: readonly string[], options: DescribeOptions = {}): Promise<topics.TopicDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.#run(options, call => topics.describeTopics(call, names, operations))
  }

  /** Deletes the records before an offset, per partition; -1 deletes all there are. */
  deleteRecords(
    partitions: readonly topics.RecordsToDelete[],
    options?: AdminOptions,
  ): Promise<topics.DeletedRecords[]> {
    return this.#run(options, call => topics.deleteRecords(call, partitions))
  }

  /** Tells the brokers and the controller. */
  describeCluster(options: DescribeOptions = {}): Promise<cluster.ClusterDescription> {
    return this.#run(options, call => cluster.describeCluster(call, options.includeAuthorizedOperations ?? false))
  }

  /** The cluster's id; null on brokers that do not tell it. */
  clusterId(options?: AdminOptions): Promise<string | null> {
    return this.#run(options, async call => (await cluster.describeCluster(call, false)).clusterId)
  }

  /** The id of the broker that takes requests for the controller; -1 while there is none. */
  controllerId(options?: AdminOptions): Promise<number> {
    return this.#run(options, async call => (await cluster.describeCluster(call, false)).controllerId)
  }

  /** Brokers and topics: all of them, or the one named. Asking never creates a topic. */
  getMetadata(options: { topic?: string; allTopics?: boolean; timeoutMs?: number } = {}): Promise<Metadata> {
    const { timeoutMs } = options
    return this.#run(timeoutMs === undefined ? {} : { requestTimeoutMs: timeoutMs }, call =>
      getMetadata(call.cluster, options, { deadline: call.deadline, signal: call.signal }),
    )
  }

  /** The first, the next or another offset of partitions, asked of their leaders. */
  listOffsets(
    queries: readonly cluster.OffsetQuery[],
    options: cluster.ListOffsetsOptions = {},
  ): Promise<cluster.ListedOffsetResult[]> {
    const isolation = options.isolationLevel ?? 'read_uncommitted'
    return this.#run(options, call => cluster.listOffsets(call, queries, isolation))
  }

  /** Adds access rules; one that is there already stays as it is. */
  createAcls(bindings: readonly security.AclBinding[], options?: AdminOptions): Promise<security.CreateAclResult[]> {
    return this.#run(options, call => security.createAcls(call, bindings))
  }

  /** The access rules that match. Rejects with the broker's error, there being one answer only. */
  describeAcls(filter: security.AclBindingFilter, options?: AdminOptions): Promise<security.AclBinding[]> {
    return this.#run(options, call => security.describeAcls(call, filter))
  }

  /** Takes away the access rules that match any of the filters; tells which, per filter. */
  deleteAcls(
    filters: readonly security.AclBindingFilter[],
    options?: AdminOptions,
  ): Promise<security.DeleteAclsResult[]> {
    return this.#run(options, call => security.deleteAcls(call, filters))
  }

  /** Who has SCRAM passwords, by mechanism; all users when none are named (KIP-554). */
  describeUserScramCredentials(
    users: readonly string[] = [],
    options?: AdminOptions,
  ): Promise<scram.ScramUserDescription[]> {
    return this.#run(options, call => scram.describeUserScramCredentials(call, users))
  }

  /** Sets or takes away SCRAM passwords. The password is salted and hashed here and never sent (KIP-554). */
  alterUserScramCredentials(
    alterations: readonly scram.ScramCredentialAlteration[],
    options?: AdminOptions,
  ): Promise<scram.ScramUserResult[]> {
    return this.#run(options, call => scram.alterUserScramCredentials(call, alterations))
  }

  /** The configuration of topics, brokers, groups and metrics subscriptions. */
  describeConfigs(
    resources: readonly configs.ConfigResource[],
    options?: AdminOptions,
  ): Promise<configs.ConfigDescription[]> {
    return this.#run(options, call => configs.describeConfigs(call, resources))
  }

  /** Changes configuration entry by entry; what is not named stays (KIP-339). */
  incrementalAlterConfigs(
    alterations: readonly configs.ConfigAlteration[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResult[]> {
    return this.#run(options, call => configs.incrementalAlterConfigs(call, alterations))
  }

  /**
   * Replaces whole configurations: what is not named goes back to its default. `incrementalAlterConfigs` is the
   * better way where the brokers know it (2.3 and later).
   */
  alterConfigs(
    replacements: readonly configs.ConfigReplacement[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResult[]> {
    return this.#run(options, call => configs.alterConfigs(call, replacements))
  }

  /** What has a configuration of its own: of these types, or of all (KIP-1142, Kafka 4.1 and later). */
  listConfigResources(
    types?: readonly configs.ConfigResourceType[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResource[]> {
    return this.#run(options, call => configs.listConfigResources(call, types))
  }

  /** Groups of every kind, of all brokers; see `listConsumerGroups` (KIP-1043). */
  listGroups(options: listings.ListGroupsOptions = {}): Promise<listings.GroupListings> {
    return this.#run(options, call => listings.listGroups(call, options))
  }

  /** The consumer groups of all brokers. A broker that does not answer is in `errors`, the others' groups are told. */
  listConsumerGroups(options: listings.ListConsumerGroupsOptions = {}): Promise<listings.ConsumerGroupListings> {
    return this.#run(options, call => listings.listConsumerGroups(call, options))
  }

  /** Members and assignments of consumer groups, of both protocols. */
  describeConsumerGroups(
    ids: readonly string[],
    options: DescribeOptions = {},
  ): Promise<groups.ConsumerGroupDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.#run(options, call => groups.describeConsumerGroups(call, ids, operations))
  }

  /** Deletes groups that have no members, with their offsets. */
  deleteConsumerGroups(ids: readonly string[], options?: AdminOptions): Promise<groups.ConsumerGroupResult[]> {
    return this.#run(options, call => groups.deleteConsumerGroups(call, ids))
  }

  /**
   * What a group has committed, of all its partitions or of those named; OFFSET_INVALID where there is nothing.
   * Rejects with the broker's error when it concerns the group as a whole.
   */
  listConsumerGroupOffsets(
    group: string,
    partitions?: readonly TopicPartition[],
    options: groupOffsets.ListConsumerGroupOffsetsOptions = {},
  ): Promise<TopicPartitionOffset[]> {
    const requireStable = options.requireStableOffsets ?? false
    return this.#run(options, call => groupOffsets.listConsumerGroupOffsets(call, group, partitions, requireStable))
  }

  /** Commits offsets in the name of a group that has no members at the time. */
  alterConsumerGroupOffsets(
    group: string,
    offsets: readonly TopicPartitionOffset[],
    options?: AdminOptions,
  ): Promise<TopicPartitionOffset[]> {
    return this.#run(options, call => groupOffsets.alterConsumerGroupOffsets(call, group, offsets))
  }

  /** Forgets committed offsets of topics that the group is not subscribed to (KIP-496). */
  deleteConsumerGroupOffsets(
    group: string,
    partitions: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<TopicPartitionOffset[]> {
    return this.#run(options, call => groupOffsets.deleteConsumerGroupOffsets(call, group, partitions))
  }

  /**
   * Makes members leave a group, all of them when none are named; they join again unless they are stopped (KIP-345).
   * Rejects with the broker's error when it concerns the group as a whole.
   */
  removeMembersFromConsumerGroup(
    group: string,
    who?: readonly members.MemberToRemove[],
    options: members.RemoveMembersOptions = {},
  ): Promise<members.RemovedMember[]> {
    return this.#run(options, call => members.removeMembers(call, group, who, options.reason))
  }

  /** Members and assignments of share groups (KIP-932). */
  describeShareGroups(
    ids: readonly string[],
    options: DescribeOptions = {},
  ): Promise<shareGroups.ShareGroupDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.#run(options, call => shareGroups.describeShareGroups(call, ids, operations))
  }

  /** Deletes share groups that have no members, with what they remember (KIP-932). */
  deleteShareGroups(ids: readonly string[], options?: AdminOptions): Promise<groups.ConsumerGroupResult[]> {
    return this.#run(options, call => groups.deleteConsumerGroups(call, ids))
  }

  /** How far a share group is, with all its partitions or with those named (KIP-932). */
  listShareGroupOffsets(
    group: string,
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<shareGroups.ShareGroupOffset[]> {
    return this.#run(options, call => shareGroups.listShareGroupOffsets(call, group, partitions))
  }

  /** Makes a share group that has no members begin somewhere else (KIP-932). */
  alterShareGroupOffsets(
    group: string,
    offsets: readonly shareGroups.ShareGroupOffsetAlteration[],
    options?: AdminOptions,
  ): Promise<leaders.PartitionResult[]> {
    return this.#run(options, call => shareGroups.alterShareGroupOffsets(call, group, offsets))
  }

  /** Makes a share group that has no members forget topics (KIP-932). */
  deleteShareGroupOffsets(
    group: string,
    names: readonly string[],
    options?: AdminOptions,
  ): Promise<shareGroups.ShareGroupTopicResult[]> {
    return this.#run(options, call => shareGroups.deleteShareGroupOffsets(call, group, names))
  }

  /**
   * Elects leaders for partitions, or for all that need one when none are named. ERR_ELECTION_NOT_NEEDED as the
   * error of a partition: its leader is the right one already (KIP-460).
   */
  electLeaders(
    type: leaders.ElectionType,
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<leaders.PartitionResult[]> {
    return this.#run(options, call => leaders.electLeaders(call, type, partitions))
  }

  /** Moves partitions to other brokers, in the background: `listPartitionReassignments` tells what is under way (KIP-455). */
  alterPartitionReassignments(
    moves: readonly reassignments.PartitionReassignment[],
    options: reassignments.ReassignmentOptions = {},
  ): Promise<leaders.PartitionResult[]> {
    const mayChange = options.allowReplicationFactorChange ?? true
    return this.#run(options, call => reassignments.alterPartitionReassignments(call, moves, mayChange))
  }

  /** The moves that are under way, of all partitions or of those named (KIP-455). */
  listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<reassignments.OngoingReassignment[]> {
    return this.#run(options, call => reassignments.listPartitionReassignments(call, partitions))
  }

  /** What the brokers' directories hold, of all brokers or of those named (KIP-113). */
  describeLogDirs(
    brokerIds?: readonly number[],
    options: logDirs.DescribeLogDirsOptions = {},
  ): Promise<logDirs.BrokerLogDirs[]> {
    return this.#run(options, call => logDirs.describeLogDirs(call, brokerIds, options.partitions))
  }

  /** Moves replicas to other directories of their brokers, in the background (KIP-113). */
  alterReplicaLogDirs(
    moves: readonly logDirs.ReplicaLogDirAlteration[],
    options?: AdminOptions,
  ): Promise<logDirs.ReplicaLogDirResult[]> {
    return this.#run(options, call => logDirs.alterReplicaLogDirs(call, moves))
  }

  /** The quotas that match; all when nothing is said (KIP-546). Rejects with the broker's error. */
  describeClientQuotas(filter: quotas.QuotaFilter = {}, options?: AdminOptions): Promise<quotas.ClientQuotas[]> {
    return this.#run(options, call => quotas.describeClientQuotas(call, filter))
  }

  /** Sets quotas or takes them away (KIP-546). */
  alterClientQuotas(
    alterations: readonly quotas.ClientQuotaAlteration[],
    options?: AdminOptions,
  ): Promise<quotas.ClientQuotaResult[]> {
    return this.#run(options, call => quotas.alterClientQuotas(call, alterations))
  }

  /** The transactional ids of all brokers. A broker that does not answer is in `errors` (KIP-664). */
  listTransactions(options: transactions.ListTransactionsOptions = {}): Promise<transactions.TransactionListings> {
    return this.#run(options, call => transactions.listTransactions(call, options))
  }

  /** What the coordinators know of transactional ids (KIP-664). */
  describeTransactions(ids: readonly string[], options?: AdminOptions): Promise<transactions.TransactionDescription[]> {
    return this.#run(options, call => transactions.describeTransactions(call, ids))
  }

  /** The producers that partitions remember, asked of their leaders or of the replica named (KIP-664). */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: producers.DescribeProducersOptions = {},
  ): Promise<producers.PartitionProducers[]> {
    return this.#run(options, call => producers.describeProducers(call, partitions, options.brokerId))
  }

  /** Ends, on one partition, a transaction that its coordinator has forgotten (KIP-664). Rejects with the broker's error. */
  abortTransaction(transaction: producers.TransactionToAbort, options?: AdminOptions): Promise<void> {
    return this.#run(options, call => producers.abortTransaction(call, transaction))
  }

  /** Shuts out the producers with these transactional ids and aborts what they have open (KIP-664). */
  fenceProducers(ids: readonly string[], options?: AdminOptions): Promise<transactions.FencedProducer[]> {
    return this.#run(options, call => transactions.fenceProducers(call, ids))
  }

  /** The controllers and how far each is (KIP-836). Rejects with the broker's error, ERR__UNSUPPORTED_FEATURE without KRaft. */
  describeMetadataQuorum(options?: AdminOptions): Promise<quorum.MetadataQuorum> {
    return this.#run(options, call => quorum.describeMetadataQuorum(call))
  }

  /** Gives a controller a vote (KIP-853). Rejects with the broker's error. */
  addRaftVoter(
    voter: quorum.RaftVoter,
    listeners: readonly quorum.RaftListener[],
    options?: AdminOptions,
  ): Promise<void> {
    return this.#run(options, call => quorum.addRaftVoter(call, voter, listeners))
  }

  /** Takes a controller's vote away (KIP-853). Rejects with the broker's error. */
  removeRaftVoter(voter: quorum.RaftVoter, options?: AdminOptions): Promise<void> {
    return this.#run(options, call => quorum.removeRaftVoter(call, voter))
  }

  /** Forgets a broker that is down for good (KIP-500). Rejects with the broker's error. */
  unregisterBroker(brokerId: number, options?: AdminOptions): Promise<void> {
    return this.#run(options, call => quorum.unregisterBroker(call, brokerId))
  }

  /** What the cluster can do and what of it is switched on (KIP-584). */
  describeFeatures(options?: AdminOptions): Promise<features.FeatureMetadata> {
    return this.#run(options, call => features.describeFeatures(call))
  }

  /** Switches features to other levels, all or none (KIP-584). */
  updateFeatures(
    updates: readonly features.FeatureUpdate[],
    options?: AdminOptions,
  ): Promise<features.FeatureResult[]> {
    return this.#run(options, call => features.updateFeatures(call, updates))
  }

  /** Makes a token that logs in as its owner until it expires (KIP-48). Rejects with the broker's error. */
  createDelegationToken(options: tokens.CreateDelegationTokenOptions = {}): Promise<tokens.DelegationToken> {
    return this.#run(options, call => tokens.createDelegationToken(call, options))
  }

  /** Lets a token live longer; resolves with the time when it expires now (KIP-48). Rejects with the broker's error. */
  renewDelegationToken(hmac: Uint8Array, options: tokens.RenewDelegationTokenOptions = {}): Promise<number> {
    return this.#run(options, call => tokens.renewDelegationToken(call, hmac, options.renewPeriodMs ?? -1))
  }

  /** Lets a token end, at once unless told otherwise; resolves with the time (KIP-48). Rejects with the broker's error. */
  expireDelegationToken(hmac: Uint8Array, options: tokens.ExpireDelegationTokenOptions = {}): Promise<number> {
    return this.#run(options, call => tokens.expireDelegationToken(call, hmac, options.expiryPeriodMs ?? -1))
  }

  /** The tokens that the asking user may see (KIP-48). Rejects with the broker's error. */
  describeDelegationToken(options: tokens.DescribeDelegationTokenOptions = {}): Promise<tokens.DelegationToken[]> {
    return this.#run(options, call => tokens.describeDelegationToken(call, options.owners))
  }

  /** Hears events; those of a client that is shared are heard as well. A listener that throws is logged. */
  on<T extends AdminEvent['type']>(type: T, listener: AdminListener<T>): this {
    this.#handle.context.events.on(type, listener)
    return this
  }

  /** Ends `on` for the same listener. */
  off<T extends AdminEvent['type']>(type: T, listener: AdminListener<T>): this {
    this.#handle.context.events.off(type, listener)
    return this
  }

  /** Used from the next authentication on (`sasl.username`, `sasl.password`). */
  setSaslCredentials(username: string, password: string): void {
    this.#handle.cluster.setSaslCredentials(username, password)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: the token is used from the next authentication on.
   * @throws KafkaError ERR__INVALID_ARG for a token that cannot be used, ERR__STATE without `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this.#handle.cluster.setOAuthBearerToken(token)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: there is no token; the next event comes in 10 s.
   * @throws KafkaError ERR__STATE without `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerTokenFailure(message: string): void {
    this.#handle.cluster.setOAuthBearerTokenFailure(message)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Closes the connections, unless they are another client's. Calls under way reject with ERR__DESTROY. */
  close(): Promise<void> {
    if (!this.#closed && this.#owned) this.#handle.cluster.close()
    this.#closed = true
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run<T>(options: AdminOptions | undefined, work: (call: AdminCall) => Promise<T>): Promise<T> {
    const { context, cluster: connections } = this.#handle
    if (this.#closed) {
      // A program that asks again and again must not keep timers and sockets from their turn.
      await nextTurn()
      throw new KafkaError(ErrorCode.ERR__STATE, `the admin client ${context.name} is closed`)
    }
    return work(startCall(context, connections, options ?? {}))
  }
}

/** How `from` hands the other client's inside to the constructor without showing it in the public signature. */
const sharedHandles = new WeakMap<AdminConfig, ClientHandle>()

function open(config: AdminConfig, options: ClientOptions): ClientHandle {
  const context: ClientContext = createContext(
    'admin',
    resolveConfig('admin', config),
    checkedOptions('AdminClient', options),
  )
  const connections = new Cluster(context)
  connections.start()
  return { context, cluster: connections }
}
