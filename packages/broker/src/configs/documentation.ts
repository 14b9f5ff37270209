/** What DescribeConfigs says of a configuration when it is asked to (KIP-569). */

const owners: ReadonlyMap<number, string> = new Map([
  [2, 'a topic'],
  [4, 'a broker'],
  [16, 'a subscription to client metrics'],
  [32, 'a group'],
])

/** By the end of a name: what its value is. */
const units: readonly (readonly [end: string, meaning: string])[] = [
  ['.ms', 'A time in milliseconds'],
  ['.seconds', 'A time in seconds'],
  ['.minutes', 'A time in minutes'],
  ['.hours', 'A time in hours'],
  ['.bytes', 'A number of bytes'],
  ['.ratio', 'A share, from 0 to 1'],
  ['.enable', 'Whether something is done'],
  ['.num', 'A number'],
  ['.level', 'A level'],
  ['.password', 'A secret'],
]

const own: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'What becomes of old segments of a topic: delete, compact, or both.'],
  ['compression.type', 'How a topic keeps its batches: as the producer has compressed them, or by a codec of its own.'],
  ['max.message.bytes', 'The largest batch of records that a topic takes, in bytes.'],
  ['message.timestamp.type', 'Whether a record has the time of its making or that of its writing.'],
  ['min.insync.replicas', 'How many replicas have to be in sync for a write with acks=all to be taken.'],
  ['retention.bytes', 'How much of a partition is kept, in bytes; -1 for all.'],
  ['retention.ms', 'How long records are kept, in milliseconds; -1 for ever.'],
  ['segment.bytes', 'How large a segment of the log becomes before the next is begun, in bytes.'],
  [
    'group.max.session.timeout.ms',
    'The longest session that a member of a classic group may ask for, in milliseconds.',
  ],
  [
    'group.min.session.timeout.ms',
    'The shortest session that a member of a classic group may ask for, in milliseconds.',
  ],
])

/** In a sentence; what has no words of its own gets its name and its unit. */
export function documentationOf(resourceType: number, name: string): string {
  const text = own.get(name)
  if (text !== undefined) return text
  const meaning = units.find(([end]) => name.endsWith(end))?.[1] ?? 'A value'
  return `${meaning}: ${name} of ${owners.get(resourceType) ?? 'this resource'}, as Kafka has it.`
}
