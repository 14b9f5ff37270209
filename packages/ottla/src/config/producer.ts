/** Properties of producers, the topic-level ones included. */
import { bool, choice, clib, elsewhere, float, int, text, textOr, wordyInt } from './property.ts'

const MAX_INT = 2_147_483_647

/** The words of the `partitioner` property. */
export const partitioners: readonly string[] = [
  'random',
  'consistent',
  'consistent_random',
  'murmur2',
  'murmur2_random',
  'fnv1a',
  'fnv1a_random',
]

export const producerProperties = {
  'transactional.id': text(
    'P',
    'Name under which transactions survive a restart of the producer, and by which older instances are fenced.',
    { importance: 'high' },
  ),
  'transaction.timeout.ms': int(
    'P',
    [1000, MAX_INT],
    60_000,
    'How long a transaction may stay open before the broker aborts it.',
    { importance: 'medium' },
  ),
  'enable.idempotence': bool(
    'P',
    false,
    'Writes each message exactly once and in order, retries included. Needs acks=all and at most 5 requests in flight.',
    { importance: 'high' },
  ),
  'enable.gapless.guarantee': bool('P', false, 'Makes a gap in the sequence of messages a fatal error.'),
  'queue.buffering.max.messages': int(
    'P',
    [0, MAX_INT],
    100_000,
    'Most messages accepted and not reported yet, over all topics; beyond it `produce` throws ERR__QUEUE_FULL. 0 for no limit.',
    { importance: 'high' },
  ),
  'queue.buffering.max.kbytes': int('P', [1, MAX_INT], 1_048_576, 'The same limit in units of 1024 bytes.', {
    importance: 'high',
  }),
  'queue.buffering.max.ms': float('P', [0, 900_000], 5, 'How long a message may linger for a fuller batch, in ms.', {
    importance: 'high',
  }),
  'message.send.max.retries': int(
    'P',
    [0, MAX_INT],
    MAX_INT,
    'How often a message is retried after a transient error; never beyond `message.timeout.ms`.',
    { importance: 'high' },
  ),
  'queue.buffering.backpressure.threshold': int(
    'P',
    [1, 1_000_000],
    1,
    'Requests in flight from which the C library lets batches grow. Here a batch is sent when it is full or its linger is over.',
    { status: clib },
  ),
  'compression.codec': choice('P', ['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none', 'How batches are compressed.', {
    importance: 'medium',
  }),
  'batch.num.messages': int('P', [1, 1_000_000], 10_000, 'Most messages in a batch.', { importance: 'medium' }),
  'batch.size': int(
    'P',
    [1, MAX_INT],
    1_000_000,
    'Largest batch in bytes, before compression. A larger message is sent in a batch of its own.',
    { importance: 'medium' },
  ),
  'delivery.report.only.error': bool('P', false, 'Reports failures only.'),
  dr_cb: elsewhere('P', 'the second argument of `produce`', 'Delivery reports.'),
  dr_msg_cb: elsewhere('P', 'the second argument of `produce`', 'Delivery reports.'),
  'sticky.partitioning.linger.ms': int(
    'P',
    [0, 900_000],
    10,
    'How long messages without a key go to the same partition before another is chosen; 0 chooses for each message. Twice the linger unless set.',
  ),
  'request.required.acks': wordyInt(
    'P',
    [-1, 1000],
    { all: -1 },
    -1,
    'Replicas that must have a batch before it counts as delivered: all in-sync ones (-1, all), the leader (1) or none (0).',
    { importance: 'high' },
  ),
  'request.timeout.ms': int(
    'P',
    [1, 900_000],
    30_000,
    'How long the broker may wait for the acknowledgements of its replicas.',
    { importance: 'medium' },
  ),
  'message.timeout.ms': int(
    'P',
    [0, MAX_INT],
    300_000,
    'How long a message may take from `produce` to its report, retries included; 0 for no limit.',
    { importance: 'high' },
  ),
  'queuing.strategy': choice('P', ['fifo', 'lifo'], 'fifo', 'Order of the queue. Always first in, first out here.', {
    status: clib,
    deprecated: true,
  }),
  'produce.offset.report': bool('P', false, 'Offsets in reports. Always included here.', {
    status: clib,
    deprecated: true,
  }),
  partitioner: textOr(
    'P',
    'consistent_random',
    'How a message without a partition gets one: consistent, consistent_random (CRC32 of the key), murmur2, murmur2_random (like Java), fnv1a, fnv1a_random (like Sarama), random. With `_random`, a message without a key goes to any partition.',
    { importance: 'high', known: partitioners },
  ),
  partitioner_cb: elsewhere('P', 'the option `partitioner` of the constructor', 'A partitioner of your own.'),
  msg_order_cmp: elsewhere('P', 'nothing', 'Order of the queue.'),
  'compression.level': int(
    'P',
    [-1, 12],
    -1,
    "How hard the codec tries: gzip 0 to 9, lz4 0 to 12, snappy 0; -1 is the codec's own default.",
  ),
  'ottla.linger.adaptive': bool(
    'P',
    true,
    '`await send()` does not linger while nothing else is queued and no request to that broker is in flight: waiting would not fill the batch.',
  ),
} as const
