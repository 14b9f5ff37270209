export { AdminClient } from './admin/admin.ts'
export type { ConnectedAdmin } from './admin/connected.ts'
export type { AdminEvent, AdminListener } from './admin/events.ts'
export type { AclBinding, AclBindingFilter, CreateAclResult, DeleteAclsResult } from './admin/security.ts'
export type { AclOperation, AclPatternType, AclPermission, AclResourceType } from './admin/acl-words.ts'
export type { AdminOptions, DescribeOptions } from './admin/call.ts'
export type {
  ClusterDescription,
  ListedOffsetResult,
  ListOffsetsOptions,
  OffsetQuery,
  OffsetSpec,
} from './admin/cluster.ts'
export type {
  ConfigAlteration,
  ConfigDescription,
  ConfigEntry,
  ConfigOperation,
  ConfigReplacement,
  ConfigResource,
  ConfigResourceType,
  ConfigResult,
  ConfigSource,
} from './admin/configs.ts'
export type {
  CreateDelegationTokenOptions,
  DelegationToken,
  DescribeDelegationTokenOptions,
  ExpireDelegationTokenOptions,
  RenewDelegationTokenOptions,
} from './admin/delegation-tokens.ts'
export type { FeatureMetadata, FeatureResult, FeatureUpdate, FeatureVersions } from './admin/features.ts'
export type {
  ConsumerGroupListing,
  ConsumerGroupListings,
  GroupListing,
  GroupListings,
  GroupType,
  ListConsumerGroupsOptions,
  ListGroupsOptions,
} from './admin/group-listings.ts'
export type { MemberToRemove, RemovedMember, RemoveMembersOptions } from './admin/group-members.ts'
export type {
  ConsumerGroupDescription,
  ConsumerGroupMember,
  ConsumerGroupResult,
  ConsumerGroupState,
  ConsumerGroupType,
} from './admin/groups.ts'
export type { ElectionType, PartitionResult } from './admin/leaders.ts'
export type {
  BrokerLogDirs,
  DescribeLogDirsOptions,
  LogDir,
  LogDirReplica,
  ReplicaLogDirAlteration,
  ReplicaLogDirResult,
} from './admin/log-dirs.ts'
export type {
  DescribeProducersOptions,
  PartitionProducers,
  ProducerState,
  TransactionToAbort,
} from './admin/producers.ts'
export type { MetadataQuorum, QuorumNode, QuorumReplica, RaftListener, RaftVoter } from './admin/quorum.ts'
export type {
  ClientQuotaAlteration,
  ClientQuotaResult,
  ClientQuotas,
  QuotaEntity,
  QuotaEntityType,
  QuotaFilter,
  QuotaFilterComponent,
} from './admin/quotas.ts'
export type { OngoingReassignment, PartitionReassignment, ReassignmentOptions } from './admin/reassignments.ts'
export type { ScramCredentialAlteration, ScramMechanism, ScramUserDescription, ScramUserResult } from './admin/scram.ts'
export type {
  ShareGroupDescription,
  ShareGroupMember,
  ShareGroupOffset,
  ShareGroupOffsetAlteration,
  ShareGroupTopicResult,
} from './admin/share-groups.ts'
export type {
  CreateTopicResult,
  DeletedRecords,
  NewPartitions,
  NewTopic,
  PartitionDescription,
  RecordsToDelete,
  TopicDescription,
  TopicResult,
} from './admin/topics.ts'
export type {
  FencedProducer,
  ListTransactionsOptions,
  TransactionDescription,
  TransactionListing,
  TransactionListings,
  TransactionState,
} from './admin/transactions.ts'
export type { GroupLag, GroupLagOptions, GroupPartitionLag } from './admin/group-lag.ts'
export type { ListConsumerGroupOffsetsOptions } from './admin/group-offsets.ts'
export type { Clock, Timer } from './base/clock.ts'
export type { Random } from './base/random.ts'
export type { Threads } from './base/threads.ts'
export { closeOnSignal, type Closable, type CloseOnSignalOptions } from './close-on-signal.ts'
export type { AuthenticatedClient } from './cluster/authenticated-client.ts'
export type { ClientOptions } from './cluster/context.ts'
export type { RecordCodec } from './cluster/record-codecs.ts'
export { envConfig, type EnvConfigOptions } from './config/environment.ts'
export { maskedConfig, parseProperties, validateConfig } from './config/resolve.ts'
export type { ConfigKind } from './config/property.ts'
export type {
  AdminConfig,
  Brokers,
  ClientConfig,
  ClientProperties,
  ConsumerConfig,
  EnvConfig,
  ParsedProperties,
  ProducerConfig,
  ShareConsumerConfig,
} from './config/client-configs.ts'
export type { BrokerList, FirstBrokers } from './config/generated/bootstrap.ts'
export type { CommonProperties } from './config/generated/common.ts'
export type { ConsumerProperties } from './config/generated/consumer.ts'
export type { MemberProperties } from './config/generated/member.ts'
export type { ProducerProperties } from './config/generated/producer.ts'
export type { SecurityProperties } from './config/generated/security.ts'
export type { ShareConsumerProperties } from './config/generated/share-consumer.ts'
export type { AnyOf, Known } from './config/written.ts'
export type { PartitionLag } from './consumer/lag.ts'
export { Consumer, type RebalanceCallback } from './consumer/consumer.ts'
export type {
  Assign,
  Assigned,
  GroupMember,
  GroupTopic,
  PartitionAssignor,
} from './consumer/group/assignors/assignor.ts'
export type { SubscriptionInput, TopicsToSubscribe } from './consumer/group/subscription.ts'
export type { ConsumerInterceptor } from './consumer/read/interceptors.ts'
export type { AcknowledgeResult } from './consumer/share/acknowledge-results.ts'
export type { AcknowledgeType } from './consumer/share/acknowledgements.ts'
export type {
  ShareConsumerEvent,
  ShareListenedEvent,
  ShareListener,
  ShareMessageEvent,
} from './consumer/share/events.ts'
export type { ConsumedShareMessage, ShareMessage, TopicShareMessage } from './consumer/share/message.ts'
export type {
  ShareConsumerOptions,
  ShareOutcome,
  ShareRunContext,
  ShareRunOptions,
  TopicShareConsumerArguments,
  TopicShareConsumerOptions,
} from './consumer/share/options.ts'
export { ShareConsumer } from './consumer/share/share-consumer.ts'
export type { BatchOptions } from './consumer/read/iterators.ts'
export type {
  ConsumerListener,
  ConsumerOptions,
  TopicConsumerArguments,
  TopicConsumerOptions,
} from './consumer/options.ts'
export type { ConsumedStream, PartitionStream, TopicPartitionStream } from './consumer/run/cursor-stream.ts'
export type { PartitionStreamsOptions } from './consumer/run/partition-streams.ts'
export type {
  BatchRunOptions,
  CommonRunOptions,
  DeadLetterSink,
  RunContext,
  RunOptions,
} from './consumer/run/options.ts'
export type { ConsumedBatch, MessageBatch, TopicBatch } from './consumer/read/message-batch.ts'
export type { FetchedMessage } from './consumer/partition/message.ts'
export { ErrorCode, KafkaError, errorName, type KafkaErrorOptions } from './errors.ts'
export type { Network, NetworkSocket } from './network/network.ts'
export { mskIamTokens, type MskIamSigner } from './network/sasl/oauth/msk-iam.ts'
export type { OAuthBearerTokenFunction } from './network/sasl/oauth/token.ts'
export { wireRecording, type WireRecording, type WireRecordingOptions } from './network/recording/wire-recording.ts'
export type { ConnectionRecorder, WireRecorder } from './network/recording/recorder.ts'
export type { SaslExchange, SaslMechanism } from './network/sasl/mechanism.ts'
export type { KerberosClient, KerberosPackage } from './network/sasl/kerberos-package.ts'
export type { BrokerCertificate, VerifyCertificate } from './network/tls/verify.ts'
export type {
  AdminPayload,
  AuthenticatePayload,
  Carry,
  CarryPayload,
  ChannelBroker,
  ChannelClient,
  ChannelPayload,
  ChannelPayloads,
  CommitPayload,
  ConnectPayload,
  DeliveryPayload,
  FetchedCount,
  FetchPayload,
  ProcessPayload,
  ProducePayload,
  ProduceResult,
  RebalancePayload,
  RequestPayload,
  RequestResult,
  SendPayload,
  TransactionPayload,
} from './observe/channel-payloads.ts'
export { CHANNELS_VERSION } from './observe/channels.ts'
export type { OpenClient } from './cluster/insight.ts'
export { openClients } from './cluster/insight.ts'
export type { ClientMetric } from './cluster/telemetry/metrics.ts'
export type { Health, HealthCode, HealthListener, HealthReason } from './observe/health.ts'
export type { LogSink } from './observe/logger.ts'
export { pinoSink, winstonSink, type FieldsFirstLogger, type MessageFirstLogger } from './observe/log-sinks.ts'
export type {
  BrokerStatistics,
  EosStatistics,
  GroupStatistics,
  PartitionStatistics,
  Statistics,
  TopicStatistics,
  WindowStatistics,
} from './statistics.ts'
export type { ProducerInterceptor } from './producer/interceptors.ts'
export { murmur2 } from './producer/queue/hashes.ts'
export { Producer } from './producer/producer.ts'
export type {
  ProducerListener,
  ProducerOptions,
  TopicProducerArguments,
  TopicProducerOptions,
} from './producer/options.ts'
export type {
  TransactionalBatch,
  TransactionalOptions,
  TransactionalSource,
} from './producer/transaction/consume-transform-produce.ts'
export {
  bytes,
  float64,
  int32,
  int64,
  json,
  string,
  uuid,
  type DeserializerInput,
  type Serdes,
  type SerializerInput,
} from './serdes.ts'
export type {
  DeserializersByTopic,
  OptionsArgument,
  ReadAs,
  SentAs,
  SerializersByTopic,
  TopicDeserializers,
  TopicSerializers,
  TopicsOption,
} from './topic-serdes.ts'
export type { TopicField, TopicForm, TopicName, TopicTypes, Untyped, ValueBeside } from './topics.ts'
export * from './types.ts'
export { libraryVersion } from './version.ts'
