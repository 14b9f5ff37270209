/** Properties of consumers, the topic-level ones included. */
import { bool, choice, choiceOr, clib, elsewhere, int, list, text, textOr } from './property.ts'
import { BY_DURATION } from './reset-policy.ts'

const MAX_INT = 2_147_483_647
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export const consumerProperties = {
  'group.id': text('C', 'Name of the group. Needed to subscribe and to commit.', { importance: 'high' }),
  'group.instance.id': text(
    'C',
    'Static name of this member: it keeps its partitions across a restart that is shorter than the session timeout (KIP-345).',
    { importance: 'medium' },
  ),
  'partition.assignment.strategy': list(
    'C',
    [],
    ['range', 'roundrobin'],
    'Strategies in order of preference: range, roundrobin, sticky, cooperative-sticky, or one from the option `assignors`. The group uses one that all members have. Members keep their partitions during a rebalance if every strategy listed supports it (cooperative-sticky).',
    { importance: 'medium', known: ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] },
  ),
  'session.timeout.ms': int(
    'C',
    [1, HOUR_MS],
    45_000,
    'How long the group waits for a heartbeat before it removes the member.',
    { importance: 'high' },
  ),
  'heartbeat.interval.ms': int(
    'C',
    [1, HOUR_MS],
    3000,
    'How often the member sends a heartbeat, whatever the application does.',
  ),
  'group.protocol.type': textOr('C', 'consumer', 'Protocol type of classic groups. Always consumer here.', {
    status: clib,
  }),
  'group.protocol': choice(
    'C',
    ['classic', 'consumer'],
    'classic',
    'Group protocol: the classic one, or that of KIP-848.',
    { importance: 'high' },
  ),
  'group.remote.assignor': text('C', 'Assignor that the broker uses with group.protocol=consumer.', {
    importance: 'medium',
  }),
  'coordinator.query.interval.ms': int(
    'C',
    [1, HOUR_MS],
    600_000,
    'How often the C library checks whether the coordinator moved. Here the error of a broker that no longer coordinates the group tells.',
    { status: clib },
  ),
  'max.poll.interval.ms': int(
    'C',
    [1, DAY_MS],
    300_000,
    'How long the application may take between two polls before the member loses its partitions to others.',
    { importance: 'high' },
  ),
  'enable.auto.commit': bool(
    'C',
    true,
    'Commits stored offsets at intervals, before partitions are revoked, and at close.',
    { importance: 'high' },
  ),
  'auto.commit.interval.ms': int('C', [0, DAY_MS], 5000, 'How often stored offsets are committed; 0 switches it off.', {
    importance: 'medium',
  }),
  'enable.auto.offset.store': bool(
    'C',
    true,
    'Stores the offset of each message that is delivered, so that the next commit includes it.',
    { importance: 'high' },
  ),
  'queued.min.messages': int(
    'C',
    [1, 10_000_000],
    100_000,
    'A partition is fetched while it has fewer messages than this in the queue.',
    { importance: 'medium' },
  ),
  'queued.max.messages.kbytes': int(
    'C',
    [1, 2_097_151],
    65_536,
    'Most fetched and decompressed data in the queue, over all partitions, in units of 1024 bytes. One fetch per broker may come on top.',
    { importance: 'medium' },
  ),
  'fetch.wait.max.ms': int(
    'C',
    [0, 300_000],
    500,
    'How long a broker may wait for `fetch.min.bytes`; for a ShareConsumer at most a second, and 100 ms while it has messages.',
  ),
  'fetch.queue.backoff.ms': int(
    'C',
    [0, 300_000],
    1000,
    'How long the C library pauses a partition whose queue is full. Here fetching resumes as soon as there is room.',
    { importance: 'medium', status: clib },
  ),
  'fetch.message.max.bytes': int(
    'C',
    [1, 1_000_000_000],
    1_048_576,
    'Most bytes of one partition in one fetch. A larger message is still delivered.',
    { importance: 'medium' },
  ),
  'fetch.max.bytes': int(
    'C',
    [0, 2_147_483_135],
    52_428_800,
    'Most bytes of one broker in one fetch; at least `message.max.bytes`.',
    { importance: 'medium' },
  ),
  'fetch.min.bytes': int('C', [0, MAX_INT], 1, 'Bytes that a broker waits for before it answers a fetch.'),
  'fetch.error.backoff.ms': int('C', [0, 300_000], 500, 'Backoff before a partition is fetched again after an error.', {
    importance: 'medium',
  }),
  'offset.store.method': choice(
    'C',
    ['none', 'file', 'broker'],
    'broker',
    'Where offsets are kept. Always on the broker here.',
    { status: clib, deprecated: true },
  ),
  'isolation.level': choice(
    'C',
    ['read_uncommitted', 'read_committed'],
    'read_committed',
    'Whether to deliver messages of open and aborted transactions (read_uncommitted), or of committed ones only.',
    { importance: 'high' },
  ),
  'ottla.partition.stall.ms': int(
    'C',
    [0, DAY_MS],
    60_000,
    'Reports (`partition-stalled`) an assigned partition that no broker has answered for in this time, in ms, and a message that a handler has had for as long; 0 switches it off.',
  ),
  consume_cb: elsewhere('C', 'poll, an iterator or `batches()`', 'Message callback.'),
  rebalance_cb: elsewhere('C', 'the second argument of `subscribe`', 'Rebalance callback.'),
  offset_commit_cb: elsewhere('C', "on('offsets-committed', listener)", 'Called for each commit.'),
  'enable.partition.eof': bool('C', false, 'Emits an event when the end of a partition is reached.'),
  'check.crcs': bool('C', false, 'Checks the checksum of every fetched batch.', { importance: 'medium' }),
  'max.poll.records': int(
    'C',
    [1, MAX_INT],
    500,
    'Most messages that a share consumer may hold unacknowledged, prefetched ones included.',
  ),
  'share.acknowledgement.mode': textOr(
    'C',
    'implicit',
    'Whether a share consumer accepts a message when the application asks for the next one (`implicit`), or only when it calls `acknowledge` (`explicit`).',
    { importance: 'medium', known: ['implicit', 'explicit'] },
  ),
  'ottla.share.acquire.mode': choice(
    'C',
    ['batch_optimized', 'record_limit'],
    'batch_optimized',
    'Whether brokers may send a share consumer more than it asked for, up to whole batches (KIP-1206).',
  ),
  'auto.commit.enable': bool('C', true, "For the C library's simple consumer; use `enable.auto.commit`.", {
    status: clib,
    deprecated: true,
  }),
  'auto.offset.reset': choiceOr(
    'C',
    ['smallest', 'earliest', 'beginning', 'largest', 'latest', 'end', 'error'],
    BY_DURATION,
    'largest',
    'Where to begin if the group has no committed offset, or one that is gone: at the first message, after the last one, with an error, or at the first message of the last hour (`by_duration:PT1H`, KIP-1106), week (`by_duration:P7D`) and so on.',
    { importance: 'high' },
  ),
  'offset.store.path': textOr('C', '.', 'File for offsets.', { status: clib, deprecated: true }),
  'offset.store.sync.interval.ms': int('C', [-1, DAY_MS], -1, 'File for offsets.', { status: clib, deprecated: true }),
  'consume.callback.max.messages': int('C', [0, 1_000_000], 0, 'Messages per call of a C callback.', { status: clib }),
} as const
