/** Topic configurations of Kafka 4.3: names, defaults and validation. */

interface Setting {
  readonly defaultValue: string
  /** The type's number in DescribeConfigs. */
  readonly type: number
  /** Why a value is not valid, or null. */
  readonly problem: (value: string) => string | null
}

const BOOLEAN = 1
const STRING = 2
const INT = 3
const LONG = 5
const DOUBLE = 6
const LIST = 7
const INT_MAX = 2_147_483_647n
const LONG_MAX = 9_223_372_036_854_775_807n
const FOREVER = String(LONG_MAX)

const settings: ReadonlyMap<string, Setting> = new Map([
  ['cleanup.policy', list('delete', ['compact', 'delete'])],
  ['compression.gzip.level', gzipLevel()],
  ['compression.lz4.level', int('9', 1, 17)],
  ['compression.type', oneOf('producer', ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'])],
  ['compression.zstd.level', int('3', -131_072, 22)],
  ['delete.retention.ms', long('86400000', 0)],
  ['file.delete.delay.ms', long('60000', 0)],
  ['flush.messages', long(FOREVER, 1)],
  ['flush.ms', long(FOREVER, 0)],
  ['follower.replication.throttled.replicas', throttled()],
  ['index.interval.bytes', int('4096', 0)],
  ['leader.replication.throttled.replicas', throttled()],
  ['local.retention.bytes', long('-2', -2)],
  ['local.retention.ms', long('-2', -2)],
  ['max.compaction.lag.ms', long(FOREVER, 1)],
  ['max.message.bytes', int('1048588', 0)],
  ['message.timestamp.after.max.ms', long('3600000', 0)],
  ['message.timestamp.before.max.ms', long(FOREVER, 0)],
  ['message.timestamp.type', oneOf('CreateTime', ['CreateTime', 'LogAppendTime'])],
  ['min.cleanable.dirty.ratio', ratio('0.5')],
  ['min.compaction.lag.ms', long('0', 0)],
  ['min.insync.replicas', int('1', 1)],
  ['preallocate', bool('false')],
  ['remote.log.copy.disable', bool('false')],
  ['remote.log.delete.on.disable', bool('false')],
  ['remote.storage.enable', noTieredStorage()],
  ['retention.bytes', long('-1')],
  ['retention.ms', long('604800000', -1)],
  ['segment.bytes', int('1073741824', 1_048_576)],
  ['segment.index.bytes', int('10485760', 4)],
  ['segment.jitter.ms', long('0', 0)],
  ['segment.ms', long('604800000', 1)],
  ['unclean.leader.election.enable', bool('false')],
])

/** All names with their defaults. */
export const topicDefaults: ReadonlyMap<string, string> = new Map(
  [...settings].map(([name, { defaultValue }]) => [name, defaultValue]),
)

/** The type's number in DescribeConfigs. */
export function topicConfigType(name: string): number {
  return settings.get(name)?.type ?? 0
}

/** Whether the setting is a list, which can be appended to and subtracted from. */
export function isListConfig(name: string): boolean {
  return settings.get(name)?.type === LIST
}

/** Why a setting is refused, or null. */
export function configProblem(name: string, value: string | null): string | null {
  const setting = settings.get(name)
  if (setting === undefined) return `Unknown topic config name: ${name}`
  const reason = value === null ? 'Null value not supported.' : setting.problem(value)
  return reason === null ? null : `Invalid value ${String(value)} for configuration ${name}: ${reason}`
}

function bool(defaultValue: string): Setting {
  const problem = (value: string): string | null =>
    /^(true|false)$/i.test(value.trim()) ? null : 'Expected value to be either true or false'
  return { defaultValue, type: BOOLEAN, problem }
}

function noTieredStorage(): Setting {
  const either = bool('false')
  const problem = (value: string): string | null =>
    either.problem(value) ??
    (value.trim().toLowerCase() === 'true' ? 'Tiered Storage functionality is disabled in the broker.' : null)
  return { ...either, problem }
}

function int(defaultValue: string, min: number, max: number | bigint = INT_MAX): Setting {
  return { defaultValue, type: INT, problem: value => wholeProblem(value, 'INT', BigInt(min), BigInt(max)) }
}

function long(defaultValue: string, min: number | bigint = -LONG_MAX - 1n): Setting {
  return { defaultValue, type: LONG, problem: value => wholeProblem(value, 'LONG', BigInt(min), LONG_MAX) }
}

function wholeProblem(value: string, type: string, min: bigint, max: bigint): string | null {
  const text = value.trim()
  if (!/^[+-]?\d+$/.test(text)) return `Not a number of type ${type}`
  const number = BigInt(text.replace('+', ''))
  if (number > max) return `Value must be no more than ${max}`
  return number < min ? `Value must be at least ${min}` : null
}

function gzipLevel(): Setting {
  const level = int('-1', -1, 9)
  return {
    ...level,
    problem: value => (Number(value) === 0 ? 'Value must be -1 or from 1 to 9' : level.problem(value)),
  }
}

function ratio(defaultValue: string): Setting {
  const problem = (value: string): string | null => {
    const number = value.trim() === '' ? NaN : Number(value)
    if (Number.isNaN(number)) return 'Not a number of type DOUBLE'
    return number < 0 || number > 1 ? 'Value must be from 0 to 1' : null
  }
  return { defaultValue, type: DOUBLE, problem }
}

function oneOf(defaultValue: string, values: readonly string[]): Setting {
  const problem = (value: string): string | null =>
    values.includes(value) ? null : `String must be one of: ${values.join(', ')}`
  return { defaultValue, type: STRING, problem }
}

function list(defaultValue: string, values: readonly string[]): Setting {
  const problem = (value: string): string | null => {
    const words = value.split(',').map(word => word.trim())
    const isKnown = value.trim() === '' || words.every(word => values.includes(word))
    return isKnown ? null : `each must be one of: ${values.join(', ')}`
  }
  return { defaultValue, type: LIST, problem }
}

function throttled(): Setting {
  const problem = (value: string): string | null =>
    /^(\*|(\s*\d+:\d+\s*(,\s*\d+:\d+\s*)*)?)$/.test(value)
      ? null
      : "it must be the literal '*' or a list of replicas: [partitionId]:[brokerId],..."
  return { defaultValue: '', type: LIST, problem }
}
