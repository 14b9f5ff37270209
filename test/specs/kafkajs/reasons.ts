/** Why tests of kafkajs's specs do not pass with the facade. */

import type { Reason } from '../results.ts'

const mocked = 'internals: answers of kafkajs’s own broker are mocked'
const brokerIds = 'surroundings: brokers 0 to 2 are expected, and these are 1 to 3'
const resets = 'a difference: the offset that is meant is committed, not -1 or -2'
const shortest = 'a request timeout of 1 ms is taken for 10 ms, the least that `ottla` has'

export const reasons: readonly Reason[] = [
  { spec: 'producer/index', tests: /reconnects the cluster if disconnected/, reason: 'internals: kafkajs’s cluster' },
  { spec: 'index', tests: /request timeout event/, reason: shortest },
  { spec: 'instrumentationEvents', tests: /request timeout events/, reason: shortest },
  {
    spec: 'instrumentationEvents',
    tests: /empty control batches/,
    reason: 'a difference: batches without messages have no events',
  },
  {
    spec: 'controlBatches',
    tests: /across multiple batches/,
    reason: 'a difference: batches without messages have no events',
  },
  {
    spec: 'instrumentationEvents',
    tests: /received unsubscribed topics/,
    reason: 'a difference: the assigner assigns the topics of all members, not only those of the leader',
  },
  {
    spec: 'producer/index',
    tests: /default retry value|only calls initProducerId|sending offsets/,
    reason: 'internals: calls of kafkajs’s functions are counted',
  },
  { spec: 'idempotentProduceMessages', tests: /throws a retriable error/, reason: mocked },
  {
    spec: 'producer/compression',
    tests: /not configured/,
    reason: 'a difference: the codecs are built in',
  },
  {
    spec: 'consumeMessages',
    tests: /concurrent heartbeats|heartbeats are exposed/,
    reason: 'a difference: heartbeats are sent at their interval, and do not wait for handlers',
  },
  {
    spec: 'consumer/__tests__/commitOffsets',
    tests: /updates the partition committed offset/,
    reason: 'internals: kafkajs’s cluster is asked what has been committed',
  },
  { spec: 'consumer/__tests__/connection', tests: /reconnects the cluster/, reason: 'internals: kafkajs’s cluster' },
  {
    spec: 'emptyAssignment',
    tests: /without receiving any assignment/,
    reason: 'a difference: a member without partitions fetches nothing, so there is no event of it',
  },
  { spec: 'errorRecovery', tests: /crashes due to|bail out/, reason: 'internals: kafkajs’s joinGroup throws' },
  {
    spec: 'errorRecovery',
    tests: /offset out of range/,
    reason: 'surroundings: it joins without the member id of KIP-394',
  },
  {
    spec: 'admin',
    tests: /controller has moved|ignore already created|query metadata|forward non ignorable|interrupts on REQUEST/,
    reason: mocked,
  },
  { spec: 'admin', tests: /cluster target group/, reason: 'internals: kafkajs’s cluster' },
  {
    spec: 'admin',
    tests: /manual replica assignment|assign invalid broker|reassign partitions|list reassignments/,
    reason: brokerIds,
  },
  {
    spec: 'deleteTopicRecords',
    tests: /refresh stale metadata|retriable error,|broker error/,
    reason: mocked,
  },
  { spec: 'fetchOffsets', tests: /reset to (latest|earliest)|correct earliest offset/, reason: resets },
  { spec: 'resetOffsets', tests: /to the (latest|earliest) offsets/, reason: resets },
  {
    spec: 'fetchTopicMetadata',
    tests: /creates a new topic/,
    reason: 'internals: `kafka.admin()` never creates topics by asking, only a cluster made by hand does',
  },
]
