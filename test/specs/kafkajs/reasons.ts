/** Why tests of kafkajs's specs do not pass with the facade. */

import type { Reason } from '../results.ts'

const mocked = 'internals: answers of kafkajs’s own broker are mocked'
const brokerIds = 'surroundings: brokers 0 to 2 are expected, and these are 1 to 3'
const shortest = 'a request timeout of 1 ms is taken for 10 ms, the least that `ottla` has'

export const reasons: readonly Reason[] = [
  { spec: 'producer/index', tests: /reconnects the cluster if disconnected/, reason: 'internals: kafkajs’s cluster' },
  { spec: 'index', tests: /request timeout event/, reason: shortest },
  { spec: 'instrumentationEvents', tests: /request timeout events/, reason: shortest },
  {
    spec: 'instrumentationEvents',
    tests: /received unsubscribed topics/,
    reason: 'a difference: topics go to members that have subscribed to them; kafkajs’s leader leaves some unread',
  },
  {
    spec: 'consumeMessages',
    tests: /consumes messages concurrently/,
    reason: 'a race: two of three brokers have to answer within the time that 33 messages take, 50 ms',
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
    spec: 'consumer/__tests__/commitOffsets',
    tests: /updates the partition committed offset/,
    reason: 'internals: kafkajs’s cluster is asked what has been committed',
  },
  { spec: 'consumer/__tests__/connection', tests: /reconnects the cluster/, reason: 'internals: kafkajs’s cluster' },
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
  {
    spec: 'fetchTopicMetadata',
    tests: /creates a new topic/,
    reason: 'internals: `kafka.admin()` never creates topics by asking, only a cluster made by hand does',
  },
]
