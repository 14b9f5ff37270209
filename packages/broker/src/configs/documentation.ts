/** The documentation of settings in DescribeConfigs (KIP-569). */

const owners: ReadonlyMap<number, string> = new Map([
  [2, 'a topic'],
  [4, 'a broker'],
  [16, 'a client metrics subscription'],
  [32, 'a group'],
])

/** What a value is, by the end of its name. */
const units: readonly (readonly [end: string, meaning: string])[] = [
  ['.ms', 'A time in milliseconds'],
  ['.seconds', 'A time in seconds'],
  ['.minutes', 'A time in minutes'],
  ['.hours', 'A time in hours'],
  ['.bytes', 'A number of bytes'],
  ['.ratio', 'A ratio from 0 to 1'],
  ['.enable', 'Whether a feature is enabled'],
  ['.num', 'A number'],
  ['.level', 'A level'],
  ['.password', 'A secret'],
]

const texts: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', "What to do with a topic's old segments: delete, compact, or both."],
  [
    'compression.type',
    'How batches are compressed in a topic: as the producer compressed them, or with another codec.',
  ],
  ['max.message.bytes', 'The largest record batch that a topic accepts, in bytes.'],
  ['message.timestamp.type', 'Whether the timestamp of a record is its creation time or the time of its append.'],
  ['min.insync.replicas', 'How many replicas have to be in sync for a write with acks=all to succeed.'],
  ['retention.bytes', 'The size up to which a partition is kept, in bytes; -1 for no limit.'],
  ['retention.ms', 'How long records are kept, in milliseconds; -1 for no limit.'],
  ['segment.bytes', 'The size of a log segment at which the next one is started, in bytes.'],
  [
    'group.max.session.timeout.ms',
    'The longest session timeout that a member of a classic group may have, in milliseconds.',
  ],
  [
    'group.min.session.timeout.ms',
    'The shortest session timeout that a member of a classic group may have, in milliseconds.',
  ],
])

/** A sentence about a setting; by default made of its name and unit. */
export function documentationOf(resourceType: number, name: string): string {
  const text = texts.get(name)
  if (text !== undefined) return text
  const meaning = units.find(([end]) => name.endsWith(end))?.[1] ?? 'A value'
  return `${meaning}: ${name} of ${owners.get(resourceType) ?? 'this resource'}, as in Kafka.`
}
