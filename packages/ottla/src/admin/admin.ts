import type { ClientOptions } from '../cluster/context.ts'
import type { AuthenticatedClient } from '../cluster/authenticated-client.ts'
import { clientHandle } from '../cluster/handle.ts'
import { getMetadata } from '../cluster/queries.ts'
import type { AdminConfig } from '../config/resolve.ts'
import type { Metadata, TopicPartition, TopicPartitionOffset } from '../types.ts'
import type { AdminOptions, DescribeOptions } from './call.ts'
import * as cluster from './cluster.ts'
import * as configs from './configs.ts'
import { ConnectedAdmin } from './connected.ts'
import * as tokens from './delegation-tokens.ts'
import * as features from './features.ts'
import * as listings from './group-listings.ts'
import * as members from './group-members.ts'
import { groupLag, type GroupLag, type GroupLagOptions } from './group-lag.ts'
import * as groupOffsets from './group-offsets.ts'
import * as groups from './groups.ts'
import * as leaders from './leaders.ts'
import * as logDirs from './log-dirs.ts'
import * as producers from './producers.ts'
import * as quorum from './quorum.ts'
import * as quotas from './quotas.ts'
import * as reassignments from './reassignments.ts'
import * as scram from './scram.ts'
import * as security from './security.ts'
import { configSharing, openSession } from './session.ts'
import * as shareGroups from './share-groups.ts'
import * as topics from './topics.ts'
import * as transactions from './transactions.ts'

/**
 * Administers a cluster. Arguments are checked before anything is sent: KafkaError ERR__INVALID_ARG names the culprit.
 * In a call for several items, a broker's error for one of them is that result's `error`. The call itself rejects only
 * if it gets no answer at all: ERR__TIMED_OUT, ERR__AUTHENTICATION, ERR__UNSUPPORTED_FEATURE (the brokers are too old),
 * ERR__STATE (closed), ERR__DESTROY (closed meanwhile), or the signal's reason. Results keep the order of the request.
 * @since 0.1.0
 */
export class AdminClient extends ConnectedAdmin {
  /**
   * Connects in the background.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work
   */
  constructor(config: AdminConfig, options: ClientOptions = {}) {
    super(openSession(config, options))
  }

  /** Shares another client's connections and credentials. Closing one does not close the other. */
  static from(client: AuthenticatedClient): AdminClient {
    return new AdminClient(configSharing(client[clientHandle]))
  }

  /** Creates topics; the broker's defaults apply to what is left out. */
  createTopics(newTopics: readonly topics.NewTopic[], options?: AdminOptions): Promise<topics.CreateTopicResult[]> {
    return this.run('createTopics', options, call => topics.createTopics(call, newTopics))
  }

  /** Deletes topics and everything in them. */
  deleteTopics(names: readonly string[], options?: AdminOptions): Promise<topics.TopicResult[]> {
    return this.run('deleteTopics', options, call => topics.deleteTopics(call, names))
  }

  /** Adds partitions to topics; keys map to other partitions from then on. */
  createPartitions(what: readonly topics.NewPartitions[], options?: AdminOptions): Promise<topics.TopicResult[]> {
    return this.run('createPartitions', options, call => topics.createPartitions(call, what))
  }

  /** Describes topics and their partitions. A missing topic gets an error as its result and is not created. */
  describeTopics(names: readonly string[], options: DescribeOptions = {}): Promise<topics.TopicDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.run('describeTopics', options, call => topics.describeTopics(call, names, operations))
  }

  /** Deletes the records before an offset, per partition; -1 deletes all of them. */
  deleteRecords(
    partitions: readonly topics.RecordsToDelete[],
    options?: AdminOptions,
  ): Promise<topics.DeletedRecords[]> {
    return this.run('deleteRecords', options, call => topics.deleteRecords(call, partitions))
  }

  /** Describes the brokers and the controller. */
  describeCluster(options: DescribeOptions = {}): Promise<cluster.ClusterDescription> {
    return this.run('describeCluster', options, call =>
      cluster.describeCluster(call, options.includeAuthorizedOperations ?? false),
    )
  }

  /** The cluster's id; null if the brokers do not report one. */
  clusterId(options?: AdminOptions): Promise<string | null> {
    return this.run('clusterId', options, async call => (await cluster.describeCluster(call, false)).clusterId)
  }

  /** The id of the broker that takes requests for the controller; -1 if there is none. */
  controllerId(options?: AdminOptions): Promise<number> {
    return this.run('controllerId', options, async call => (await cluster.describeCluster(call, false)).controllerId)
  }

  /** Brokers and topics: all of them, or the one named. Asking never creates a topic. */
  getMetadata(options: { topic?: string; allTopics?: boolean; timeoutMs?: number } = {}): Promise<Metadata> {
    const { timeoutMs } = options
    return this.run('getMetadata', timeoutMs === undefined ? {} : { requestTimeoutMs: timeoutMs }, call =>
      getMetadata(call.cluster, options, { deadline: call.deadline, signal: call.signal }),
    )
  }

  /** Offsets of partitions (earliest, latest, by timestamp and others), as their leaders report them. */
  listOffsets(
    queries: readonly cluster.OffsetQuery[],
    options: cluster.ListOffsetsOptions = {},
  ): Promise<cluster.ListedOffsetResult[]> {
    const isolation = options.isolationLevel ?? 'read_uncommitted'
    return this.run('listOffsets', options, call => cluster.listOffsets(call, queries, isolation))
  }

  /** Adds access rules; a rule that exists already stays as it is. */
  createAcls(bindings: readonly security.AclBinding[], options?: AdminOptions): Promise<security.CreateAclResult[]> {
    return this.run('createAcls', options, call => security.createAcls(call, bindings))
  }

  /** The access rules that match. Rejects with the broker's error. */
  describeAcls(filter: security.AclBindingFilter, options?: AdminOptions): Promise<security.AclBinding[]> {
    return this.run('describeAcls', options, call => security.describeAcls(call, filter))
  }

  /** Deletes the access rules that match any of the filters; returns the deleted ones per filter. */
  deleteAcls(
    filters: readonly security.AclBindingFilter[],
    options?: AdminOptions,
  ): Promise<security.DeleteAclsResult[]> {
    return this.run('deleteAcls', options, call => security.deleteAcls(call, filters))
  }

  /** The users with SCRAM passwords, and their mechanisms; all users if none are named (KIP-554). */
  describeUserScramCredentials(
    users: readonly string[] = [],
    options?: AdminOptions,
  ): Promise<scram.ScramUserDescription[]> {
    return this.run('describeUserScramCredentials', options, call => scram.describeUserScramCredentials(call, users))
  }

  /** Sets or deletes SCRAM passwords. A password is salted and hashed here and never sent (KIP-554). */
  alterUserScramCredentials(
    alterations: readonly scram.ScramCredentialAlteration[],
    options?: AdminOptions,
  ): Promise<scram.ScramUserResult[]> {
    return this.run('alterUserScramCredentials', options, call => scram.alterUserScramCredentials(call, alterations))
  }

  /** The configuration of topics, brokers, groups and metrics subscriptions. */
  describeConfigs(
    resources: readonly configs.ConfigResource[],
    options?: AdminOptions,
  ): Promise<configs.ConfigDescription[]> {
    return this.run('describeConfigs', options, call => configs.describeConfigs(call, resources))
  }

  /** Changes configurations entry by entry; entries not named stay as they are (KIP-339). */
  incrementalAlterConfigs(
    alterations: readonly configs.ConfigAlteration[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResult[]> {
    return this.run('incrementalAlterConfigs', options, call => configs.incrementalAlterConfigs(call, alterations))
  }

  /**
   * Replaces whole configurations: entries not named return to their defaults. Prefer `incrementalAlterConfigs` where
   * the brokers support it (2.3 and later).
   */
  alterConfigs(
    replacements: readonly configs.ConfigReplacement[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResult[]> {
    return this.run('alterConfigs', options, call => configs.alterConfigs(call, replacements))
  }

  /** The resources that have a configuration of their own, of these types or of all (KIP-1142, Kafka 4.1 and later). */
  listConfigResources(
    types?: readonly configs.ConfigResourceType[],
    options?: AdminOptions,
  ): Promise<configs.ConfigResource[]> {
    return this.run('listConfigResources', options, call => configs.listConfigResources(call, types))
  }

  /** Groups of every type, of all brokers; see `listConsumerGroups` (KIP-1043). */
  listGroups(options: listings.ListGroupsOptions = {}): Promise<listings.GroupListings> {
    return this.run('listGroups', options, call => listings.listGroups(call, options))
  }

  /**
   * The consumer groups of all brokers. A broker that does not answer is in `errors`; the others' groups are returned.
   */
  listConsumerGroups(options: listings.ListConsumerGroupsOptions = {}): Promise<listings.ConsumerGroupListings> {
    return this.run('listConsumerGroups', options, call => listings.listConsumerGroups(call, options))
  }

  /** Members and assignments of consumer groups, of both protocols. */
  describeConsumerGroups(
    ids: readonly string[],
    options: DescribeOptions = {},
  ): Promise<groups.ConsumerGroupDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.run('describeConsumerGroups', options, call => groups.describeConsumerGroups(call, ids, operations))
  }

  /** Deletes groups that have no members, with their offsets. */
  deleteConsumerGroups(ids: readonly string[], options?: AdminOptions): Promise<groups.ConsumerGroupResult[]> {
    return this.run('deleteConsumerGroups', options, call => groups.deleteConsumerGroups(call, ids))
  }

  /**
   * How far groups are behind in the partitions for which they have committed offsets: a table of all groups with three
   * requests or so. A group's own error is that result's `error`.
   */
  groupLag(groupIds: readonly string[], options: GroupLagOptions = {}): Promise<GroupLag[]> {
    const isolation = options.isolationLevel ?? 'read_uncommitted'
    return this.run('groupLag', options, call => groupLag(call, groupIds, isolation))
  }

  /**
   * A group's committed offsets, for all its partitions or for those named; OFFSET_INVALID where there is none.
   * Rejects with the broker's error if it concerns the group as a whole.
   */
  listConsumerGroupOffsets(
    group: string,
    partitions?: readonly TopicPartition[],
    options: groupOffsets.ListConsumerGroupOffsetsOptions = {},
  ): Promise<TopicPartitionOffset[]> {
    const requireStable = options.requireStableOffsets ?? false
    return this.run('listConsumerGroupOffsets', options, call =>
      groupOffsets.listConsumerGroupOffsets(call, group, partitions, requireStable),
    )
  }

  /** Commits offsets on behalf of a group that has no members. */
  alterConsumerGroupOffsets(
    group: string,
    offsets: readonly TopicPartitionOffset[],
    options?: AdminOptions,
  ): Promise<TopicPartitionOffset[]> {
    return this.run('alterConsumerGroupOffsets', options, call =>
      groupOffsets.alterConsumerGroupOffsets(call, group, offsets),
    )
  }

  /** Deletes committed offsets of topics that the group is not subscribed to (KIP-496). */
  deleteConsumerGroupOffsets(
    group: string,
    partitions: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<TopicPartitionOffset[]> {
    return this.run('deleteConsumerGroupOffsets', options, call =>
      groupOffsets.deleteConsumerGroupOffsets(call, group, partitions),
    )
  }

  /**
   * Removes members from a group, all of them if none are named; they join again unless they are stopped (KIP-345).
   * Rejects with the broker's error if it concerns the group as a whole.
   */
  removeMembersFromConsumerGroup(
    group: string,
    who?: readonly members.MemberToRemove[],
    options: members.RemoveMembersOptions = {},
  ): Promise<members.RemovedMember[]> {
    return this.run('removeMembersFromConsumerGroup', options, call =>
      members.removeMembers(call, group, who, options.reason),
    )
  }

  /** Members and assignments of share groups (KIP-932). */
  describeShareGroups(
    ids: readonly string[],
    options: DescribeOptions = {},
  ): Promise<shareGroups.ShareGroupDescription[]> {
    const operations = options.includeAuthorizedOperations ?? false
    return this.run('describeShareGroups', options, call => shareGroups.describeShareGroups(call, ids, operations))
  }

  /** Deletes share groups that have no members, with their offsets (KIP-932). */
  deleteShareGroups(ids: readonly string[], options?: AdminOptions): Promise<groups.ConsumerGroupResult[]> {
    return this.run('deleteShareGroups', options, call => groups.deleteConsumerGroups(call, ids))
  }

  /** A share group's start offsets, for all its partitions or for those named (KIP-932). */
  listShareGroupOffsets(
    group: string,
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<shareGroups.ShareGroupOffset[]> {
    return this.run('listShareGroupOffsets', options, call =>
      shareGroups.listShareGroupOffsets(call, group, partitions),
    )
  }

  /** Moves the start offsets of a share group that has no members (KIP-932). */
  alterShareGroupOffsets(
    group: string,
    offsets: readonly shareGroups.ShareGroupOffsetAlteration[],
    options?: AdminOptions,
  ): Promise<leaders.PartitionResult[]> {
    return this.run('alterShareGroupOffsets', options, call => shareGroups.alterShareGroupOffsets(call, group, offsets))
  }

  /** Deletes the offsets of topics from a share group that has no members (KIP-932). */
  deleteShareGroupOffsets(
    group: string,
    names: readonly string[],
    options?: AdminOptions,
  ): Promise<shareGroups.ShareGroupTopicResult[]> {
    return this.run('deleteShareGroupOffsets', options, call => shareGroups.deleteShareGroupOffsets(call, group, names))
  }

  /**
   * Elects leaders for the partitions named, or for all that need one. A partition whose leader is the right one
   * already gets the error ERR_ELECTION_NOT_NEEDED (KIP-460).
   */
  electLeaders(
    type: leaders.ElectionType,
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<leaders.PartitionResult[]> {
    return this.run('electLeaders', options, call => leaders.electLeaders(call, type, partitions))
  }

  /** Moves partitions to other brokers in the background; `listPartitionReassignments` shows the progress (KIP-455). */
  alterPartitionReassignments(
    moves: readonly reassignments.PartitionReassignment[],
    options: reassignments.ReassignmentOptions = {},
  ): Promise<leaders.PartitionResult[]> {
    const mayChange = options.allowReplicationFactorChange ?? true
    return this.run('alterPartitionReassignments', options, call =>
      reassignments.alterPartitionReassignments(call, moves, mayChange),
    )
  }

  /** The ongoing moves of all partitions or of those named (KIP-455). */
  listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options?: AdminOptions,
  ): Promise<reassignments.OngoingReassignment[]> {
    return this.run('listPartitionReassignments', options, call =>
      reassignments.listPartitionReassignments(call, partitions),
    )
  }

  /** The log directories of all brokers or of those named, with their replicas (KIP-113). */
  describeLogDirs(
    brokerIds?: readonly number[],
    options: logDirs.DescribeLogDirsOptions = {},
  ): Promise<logDirs.BrokerLogDirs[]> {
    return this.run('describeLogDirs', options, call => logDirs.describeLogDirs(call, brokerIds, options.partitions))
  }

  /** Moves replicas to other directories of their brokers in the background (KIP-113). */
  alterReplicaLogDirs(
    moves: readonly logDirs.ReplicaLogDirAlteration[],
    options?: AdminOptions,
  ): Promise<logDirs.ReplicaLogDirResult[]> {
    return this.run('alterReplicaLogDirs', options, call => logDirs.alterReplicaLogDirs(call, moves))
  }

  /** The quotas that match, all by default (KIP-546). Rejects with the broker's error. */
  describeClientQuotas(filter: quotas.QuotaFilter = {}, options?: AdminOptions): Promise<quotas.ClientQuotas[]> {
    return this.run('describeClientQuotas', options, call => quotas.describeClientQuotas(call, filter))
  }

  /** Sets or removes quotas (KIP-546). */
  alterClientQuotas(
    alterations: readonly quotas.ClientQuotaAlteration[],
    options?: AdminOptions,
  ): Promise<quotas.ClientQuotaResult[]> {
    return this.run('alterClientQuotas', options, call => quotas.alterClientQuotas(call, alterations))
  }

  /** The transactional ids of all brokers. A broker that does not answer is in `errors` (KIP-664). */
  listTransactions(options: transactions.ListTransactionsOptions = {}): Promise<transactions.TransactionListings> {
    return this.run('listTransactions', options, call => transactions.listTransactions(call, options))
  }

  /** The state of transactional ids, as their coordinators report it (KIP-664). */
  describeTransactions(ids: readonly string[], options?: AdminOptions): Promise<transactions.TransactionDescription[]> {
    return this.run('describeTransactions', options, call => transactions.describeTransactions(call, ids))
  }

  /** The active producers of partitions, as their leaders or the replica named report them (KIP-664). */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: producers.DescribeProducersOptions = {},
  ): Promise<producers.PartitionProducers[]> {
    return this.run('describeProducers', options, call =>
      producers.describeProducers(call, partitions, options.brokerId),
    )
  }

  /** Aborts a hanging transaction on one partition (KIP-664). Rejects with the broker's error. */
  abortTransaction(transaction: producers.TransactionToAbort, options?: AdminOptions): Promise<void> {
    return this.run('abortTransaction', options, call => producers.abortTransaction(call, transaction))
  }

  /** Fences the producers with these transactional ids and aborts their open transactions (KIP-664). */
  fenceProducers(ids: readonly string[], options?: AdminOptions): Promise<transactions.FencedProducer[]> {
    return this.run('fenceProducers', options, call => transactions.fenceProducers(call, ids))
  }

  /**
   * The controllers and their log positions (KIP-836). Rejects with the broker's error, ERR__UNSUPPORTED_FEATURE
   * without KRaft.
   */
  describeMetadataQuorum(options?: AdminOptions): Promise<quorum.MetadataQuorum> {
    return this.run('describeMetadataQuorum', options, call => quorum.describeMetadataQuorum(call))
  }

  /** Makes a controller a voter (KIP-853). Rejects with the broker's error. */
  addRaftVoter(
    voter: quorum.RaftVoter,
    listeners: readonly quorum.RaftListener[],
    options?: AdminOptions,
  ): Promise<void> {
    return this.run('addRaftVoter', options, call => quorum.addRaftVoter(call, voter, listeners))
  }

  /** Removes a controller from the voters (KIP-853). Rejects with the broker's error. */
  removeRaftVoter(voter: quorum.RaftVoter, options?: AdminOptions): Promise<void> {
    return this.run('removeRaftVoter', options, call => quorum.removeRaftVoter(call, voter))
  }

  /** Unregisters a broker that is down for good (KIP-500). Rejects with the broker's error. */
  unregisterBroker(brokerId: number, options?: AdminOptions): Promise<void> {
    return this.run('unregisterBroker', options, call => quorum.unregisterBroker(call, brokerId))
  }

  /** The features that the brokers support, and their finalized levels (KIP-584). */
  describeFeatures(options?: AdminOptions): Promise<features.FeatureMetadata> {
    return this.run('describeFeatures', options, call => features.describeFeatures(call))
  }

  /** Changes the levels of features, all or none (KIP-584). */
  updateFeatures(
    updates: readonly features.FeatureUpdate[],
    options?: AdminOptions,
  ): Promise<features.FeatureResult[]> {
    return this.run('updateFeatures', options, call => features.updateFeatures(call, updates))
  }

  /** Creates a token that authenticates as its owner until it expires (KIP-48). Rejects with the broker's error. */
  createDelegationToken(options: tokens.CreateDelegationTokenOptions = {}): Promise<tokens.DelegationToken> {
    return this.run('createDelegationToken', options, call => tokens.createDelegationToken(call, options))
  }

  /** Extends a token; resolves with the new expiry, in ms since the epoch (KIP-48). Rejects with the broker's error. */
  renewDelegationToken(hmac: Uint8Array, options: tokens.RenewDelegationTokenOptions = {}): Promise<number> {
    return this.run('renewDelegationToken', options, call =>
      tokens.renewDelegationToken(call, hmac, options.renewPeriodMs ?? -1),
    )
  }

  /**
   * Expires a token, at once by default; resolves with the expiry, in ms since the epoch (KIP-48). Rejects with the
   * broker's error.
   */
  expireDelegationToken(hmac: Uint8Array, options: tokens.ExpireDelegationTokenOptions = {}): Promise<number> {
    return this.run('expireDelegationToken', options, call =>
      tokens.expireDelegationToken(call, hmac, options.expiryPeriodMs ?? -1),
    )
  }

  /** The tokens that this user may see (KIP-48). Rejects with the broker's error. */
  describeDelegationToken(options: tokens.DescribeDelegationTokenOptions = {}): Promise<tokens.DelegationToken[]> {
    return this.run('describeDelegationToken', options, call => tokens.describeDelegationToken(call, options.owners))
  }
}
