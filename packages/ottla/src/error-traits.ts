import { ErrorCode, errorName } from '@ottla/protocol'

/** What is known of an error code. */
export interface ErrorTraits {
  /** Trying again may help, after whatever is needed (fresh metadata, another coordinator) has been done. */
  readonly retriable: boolean
  /** What it means, as the end of a sentence. */
  readonly text: string
}

const E = ErrorCode

const retriable = new Set<number>([
  E.ERR__TRANSPORT,
  E.ERR__TIMED_OUT,
  E.ERR__RESOLVE,
  E.ERR__ALL_BROKERS_DOWN,
  E.ERR__QUEUE_FULL,
  E.ERR__TIMED_OUT_QUEUE,
  E.ERR__WAIT_COORD,
  E.ERR__IN_PROGRESS,
  E.ERR__PREV_IN_PROGRESS,
  E.ERR__RETRY,
  E.ERR_INVALID_MSG,
  E.ERR_UNKNOWN_TOPIC_OR_PART,
  E.ERR_LEADER_NOT_AVAILABLE,
  E.ERR_NOT_LEADER_FOR_PARTITION,
  E.ERR_REQUEST_TIMED_OUT,
  E.ERR_REPLICA_NOT_AVAILABLE,
  E.ERR_BROKER_NOT_AVAILABLE,
  E.ERR_NETWORK_EXCEPTION,
  E.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  E.ERR_COORDINATOR_NOT_AVAILABLE,
  E.ERR_NOT_COORDINATOR,
  E.ERR_NOT_ENOUGH_REPLICAS,
  E.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  E.ERR_NOT_CONTROLLER,
  E.ERR_CONCURRENT_TRANSACTIONS,
  E.ERR_KAFKA_STORAGE_ERROR,
  E.ERR_FETCH_SESSION_ID_NOT_FOUND,
  E.ERR_INVALID_FETCH_SESSION_EPOCH,
  E.ERR_LISTENER_NOT_FOUND,
  E.ERR_FENCED_LEADER_EPOCH,
  E.ERR_UNKNOWN_LEADER_EPOCH,
  E.ERR_OFFSET_NOT_AVAILABLE,
  E.ERR_PREFERRED_LEADER_NOT_AVAILABLE,
  E.ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
  E.ERR_UNSTABLE_OFFSET_COMMIT,
  E.ERR_THROTTLING_QUOTA_EXCEEDED,
  E.ERR_UNKNOWN_TOPIC_ID,
  E.ERR_INCONSISTENT_TOPIC_ID,
])

// Where the name alone does not say it well.
const texts = new Map<number, string>([
  [E.ERR_UNKNOWN, 'the broker failed in a way that it has no code for'],
  [E.ERR_NO_ERROR, 'no error'],
  [E.ERR_OFFSET_OUT_OF_RANGE, 'the offset is outside what the partition holds'],
  [E.ERR_INVALID_MSG, 'the record data arrived corrupt'],
  [E.ERR_UNKNOWN_TOPIC_OR_PART, 'the broker knows no such topic or partition'],
  [E.ERR_LEADER_NOT_AVAILABLE, 'the partition has no leader at the moment'],
  [E.ERR_NOT_LEADER_FOR_PARTITION, 'the broker does not lead the partition'],
  [E.ERR_REQUEST_TIMED_OUT, 'the broker could not finish the request in time'],
  [E.ERR_MSG_SIZE_TOO_LARGE, 'the message is larger than the broker or message.max.bytes allows'],
  [E.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'the coordinator is still loading its state'],
  [E.ERR_COORDINATOR_NOT_AVAILABLE, 'the coordinator is not available'],
  [E.ERR_NOT_COORDINATOR, 'the broker is not the coordinator'],
  [E.ERR_TOPIC_EXCEPTION, 'the topic cannot be used like this: its name is not valid, or it is internal'],
  [E.ERR_NOT_ENOUGH_REPLICAS, 'fewer replicas are in sync than min.insync.replicas asks for'],
  [E.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 'written, but to fewer replicas than min.insync.replicas asks for'],
  [E.ERR_ILLEGAL_GENERATION, 'the group has moved on to another generation'],
  [E.ERR_UNKNOWN_MEMBER_ID, 'the group does not know this member any more'],
  [E.ERR_REBALANCE_IN_PROGRESS, 'the group is rebalancing'],
  [E.ERR_TOPIC_AUTHORIZATION_FAILED, 'the user has no permission for the topic'],
  [E.ERR_GROUP_AUTHORIZATION_FAILED, 'the user has no permission for the group'],
  [E.ERR_CLUSTER_AUTHORIZATION_FAILED, 'the user has no permission for this on the cluster'],
  [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'the user has no permission for the transactional id'],
  [E.ERR_SASL_AUTHENTICATION_FAILED, 'the broker refused the credentials'],
  [E.ERR_UNSUPPORTED_VERSION, 'the broker does not know this version of the request'],
  [E.ERR_TOPIC_ALREADY_EXISTS, 'a topic of that name exists already'],
  [E.ERR_INVALID_PARTITIONS, 'the number of partitions is not possible'],
  [E.ERR_INVALID_REPLICATION_FACTOR, 'the replication factor is not possible with the brokers there are'],
  [E.ERR_NOT_CONTROLLER, 'the broker is not the controller'],
  [E.ERR_POLICY_VIOLATION, "a policy of the cluster's does not allow it"],
  [E.ERR_GROUP_ID_NOT_FOUND, 'there is no such group'],
  [E.ERR_NON_EMPTY_GROUP, 'the group has members'],
  [E.ERR_FENCED_INSTANCE_ID, 'another member has joined with the same group.instance.id'],
  [E.ERR__MSG_TIMED_OUT, 'not delivered within message.timeout.ms'],
  [E.ERR__TIMED_OUT, 'no answer in time'],
  [E.ERR__QUEUE_FULL, 'the queue is full (queue.buffering.max.messages, queue.buffering.max.kbytes)'],
  [E.ERR__TRANSPORT, 'the connection to the broker is lost or cannot be made'],
  [E.ERR__ALL_BROKERS_DOWN, 'no broker can be reached'],
  [E.ERR__UNKNOWN_PARTITION, 'the topic has no such partition'],
  [E.ERR__UNKNOWN_TOPIC, 'there is no such topic'],
  [E.ERR__UNKNOWN_GROUP, 'there is no group: group.id is not set'],
  [E.ERR__NO_OFFSET, 'there is no offset to commit'],
  [E.ERR__STATE, 'not possible in the present state'],
  [E.ERR__PURGE_QUEUE, 'purged while it waited in the queue'],
  [E.ERR__PURGE_INFLIGHT, 'purged while its request was under way'],
  [E.ERR__DESTROY, 'the client is closed'],
  [E.ERR__MAX_POLL_EXCEEDED, 'poll was not called within max.poll.interval.ms'],
  [E.ERR__AUTO_OFFSET_RESET, 'there is no offset to begin at, and auto.offset.reset is error'],
  [E.ERR__INVALID_DIFFERENT_RECORD, 'another record of the same batch was refused'],
])

/** Retriability and meaning of a code; a code that is not known is final. */
export function errorTraits(code: number): ErrorTraits {
  return { retriable: retriable.has(code), text: texts.get(code) ?? spoken(errorName(code)) }
}

function spoken(name: string): string {
  return name
    .replace(/^ERR_+/, '')
    .toLowerCase()
    .replaceAll('_', ' ')
}
