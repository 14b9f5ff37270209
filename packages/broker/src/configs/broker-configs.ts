/** Broker settings: set at runtime for one broker or all, set at the start, or defaults. */
import {
  BOOLEAN,
  BROKER,
  DOUBLE,
  INT,
  LIST,
  LONG,
  PASSWORD,
  SHORT,
  brokerSettings,
  type Row,
} from './broker-settings.ts'
import { configProblem, topicDefaults } from './topic-configs.ts'

const rows: ReadonlyMap<string, Row> = new Map(brokerSettings.map(row => [row[0], row]))

// The broker settings that are the defaults of topic settings, where the name is not just the topic's with `log.`
// before it.
const irregularNames: ReadonlyMap<string, string> = new Map([
  ['compression.gzip.level', 'compression.gzip.level'],
  ['compression.lz4.level', 'compression.lz4.level'],
  ['compression.type', 'compression.type'],
  ['compression.zstd.level', 'compression.zstd.level'],
  ['delete.retention.ms', 'log.cleaner.delete.retention.ms'],
  ['file.delete.delay.ms', 'log.segment.delete.delay.ms'],
  ['flush.messages', 'log.flush.interval.messages'],
  ['flush.ms', 'log.flush.interval.ms'],
  ['max.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms'],
  ['max.message.bytes', 'message.max.bytes'],
  ['min.cleanable.dirty.ratio', 'log.cleaner.min.cleanable.ratio'],
  ['min.compaction.lag.ms', 'log.cleaner.min.compaction.lag.ms'],
  ['min.insync.replicas', 'min.insync.replicas'],
  ['segment.index.bytes', 'log.index.size.max.bytes'],
  ['segment.jitter.ms', 'log.roll.jitter.ms'],
  ['segment.ms', 'log.roll.ms'],
  ['unclean.leader.election.enable', 'unclean.leader.election.enable'],
])
const topicNames = new Map([...irregularNames].map(([topic, broker]) => [broker, topic]))

// Lowest values of settings without a topic setting.
const minimums: ReadonlyMap<string, number> = new Map([
  ['background.threads', 1],
  ['log.cleaner.io.buffer.size', 0],
  ['log.cleaner.threads', 1],
  ['max.connection.creation.rate', 0],
  ['max.connections', 0],
  ['max.connections.per.ip', 0],
  ['num.io.threads', 1],
  ['num.network.threads', 1],
  ['num.recovery.threads.per.data.dir', 1],
  ['num.replica.fetchers', 1],
  ['producer.id.expiration.ms', 1],
])
// Finer units before coarser ones.
const coarseSettings: readonly (readonly [name: string, coarse: string, ms: number])[] = [
  ['log.retention.ms', 'log.retention.minutes', 60_000],
  ['log.retention.ms', 'log.retention.hours', 3_600_000],
  ['log.roll.ms', 'log.roll.hours', 3_600_000],
]
// Brokers accept any number for this one, unlike topics.
const RETENTION = 'log.retention.ms'

/** The name of the broker setting that is the default of a topic setting, if any. */
export function brokerNameOf(topicConfig: string): string | undefined {
  const name = irregularNames.get(topicConfig) ?? `log.${topicConfig}`
  return rows.has(name) ? name : undefined
}

/** The type's number in DescribeConfigs; undefined for an unknown setting. */
export function brokerSettingType(name: string): number | undefined {
  return rows.get(name)?.[2]
}

/** Whether the setting is a list, which can be appended to and subtracted from. */
export function isListSetting(name: string): boolean {
  return rows.get(name)?.[2] === LIST
}

/** Why a setting cannot be changed at runtime, or null. @param forAll as the cluster-wide default */
export function brokerConfigProblem(name: string, value: string, forAll: boolean): string | null {
  const row = rows.get(name)
  // It may be the setting of a plug-in.
  if (row === undefined) return null
  const [, , type, mode] = row
  if (mode === undefined) return `Cannot update these configs dynamically: [${name}]`
  if (forAll && mode === BROKER) return `Cannot update these configs at default cluster level: [${name}]`
  const reason = valueProblem(name, value.trim(), type)
  return reason === null ? null : `Invalid value ${value} for configuration ${name}: ${reason}`
}

function valueProblem(name: string, value: string, type: number): string | null {
  switch (type) {
    case BOOLEAN:
      return /^(true|false)$/i.test(value) ? null : 'Expected value to be either true or false'
    case INT:
    case SHORT:
    case LONG:
      if (!/^[+-]?\d+$/.test(value)) return 'Not a whole number'
      break
    case DOUBLE:
      if (value === '' || Number.isNaN(Number(value))) return 'Not a number'
      break
    default:
  }
  const minimum = minimums.get(name)
  if (minimum !== undefined && Number(value) < minimum) return `Value must be at least ${minimum}`
  const topicName = topicNames.get(name) ?? name.replace(/^log\./, '')
  const isOfTopics = topicDefaults.has(topicName) && brokerNameOf(topicName) === name
  return isOfTopics && name !== RETENTION ? configProblem(topicName, value) : null
}

export interface BrokerSetting {
  readonly name: string
  readonly type: number
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** The first one takes effect; empty for a setting without a value. */
  readonly values: readonly SourcedValue[]
}

export interface SourcedValue {
  readonly value: string
  readonly source: 'broker' | 'all-brokers' | 'start' | 'default'
}

/** Why a setting cannot be set at the start, or null. */
export function startConfigProblem(name: string, value: string): string | null {
  const row = rows.get(name)
  if (row === undefined) return `there is no broker setting ${name}`
  const reason = valueProblem(name, value.trim(), row[2])
  return reason === null ? null : `broker setting ${name} is ${value}: ${reason}`
}

export class BrokerConfigs {
  /** The settings that the cluster was started with, besides those that its options stand for. */
  readonly given: ReadonlyMap<string, string>
  // The same, in the units of topic settings.
  readonly #givenForTopics: ReadonlyMap<string, string>
  readonly #forAll = new Map<string, string>()
  readonly #own = new Map<number, Map<string, string>>()

  /** Throws Error for settings that {@link startConfigProblem} refuses. */
  constructor(given: ReadonlyMap<string, string> = new Map()) {
    for (const [name, value] of given) {
      const problem = startConfigProblem(name, value)
      if (problem !== null) throw new Error(`configs: ${problem}`)
    }
    this.given = given
    this.#givenForTopics = inTopicUnits(given)
  }

  /** `default.replication.factor`; null if it was not given. */
  get defaultFactor(): number | null {
    const factor = this.given.get('default.replication.factor')
    return factor === undefined ? null : Number(factor)
  }

  /** The settings changed at runtime. @param brokerId null: for all brokers */
  of(brokerId: number | null): ReadonlyMap<string, string> {
    return brokerId === null ? this.#forAll : (this.#own.get(brokerId) ?? new Map<string, string>())
  }

  /** For changes that {@link brokerConfigProblem} accepts. @param value null: removes the setting */
  set(brokerId: number | null, name: string, value: string | null): void {
    const own = brokerId === null ? this.#forAll : (this.#own.get(brokerId) ?? new Map<string, string>())
    if (brokerId !== null) this.#own.set(brokerId, own)
    if (value === null) own.delete(name)
    else own.set(name, value)
  }

  /** The cluster-wide default of a topic setting, if one was set. */
  topicDefault(topicConfig: string): string | undefined {
    if (this.#forAll.size === 0 && this.#givenForTopics.size === 0) return undefined
    const name = brokerNameOf(topicConfig)
    return name === undefined ? undefined : (this.#forAll.get(name) ?? this.#givenForTopics.get(name))
  }

  /** The values of a setting, the one that takes effect first. @param started what the broker was started with */
  values(brokerId: number, name: string, started = this.#givenForTopics): SourcedValue[] {
    const defaultValue = rows.get(name)?.[1]
    const atStart = started.get(name)
    const candidates: [string | null | undefined, SourcedValue['source']][] = [
      [this.of(brokerId).get(name), 'broker'],
      [this.#forAll.get(name), 'all-brokers'],
      [atStart === defaultValue && !this.given.has(name) ? null : atStart, 'start'],
      [defaultValue, 'default'],
    ]
    return candidates.flatMap(([value, source]) => (typeof value === 'string' ? [{ value, source }] : []))
  }

  /** All settings of a broker. @param started what it was started with */
  describe(brokerId: number, started: ReadonlyMap<string, string>): BrokerSetting[] {
    return brokerSettings.map(([name]) => this.#setting(name, this.values(brokerId, name, started)))
  }

  /** The cluster-wide settings. */
  describeForAll(): BrokerSetting[] {
    const known = [...this.#forAll].filter(([name]) => rows.has(name))
    return known.map(([name, value]) => this.#setting(name, [{ value, source: 'all-brokers' }]))
  }

  #setting(name: string, values: readonly SourcedValue[]): BrokerSetting {
    const [, , type, mode] = rows.get(name) as Row // callers take the name from there
    return { name, type, isReadOnly: mode === undefined, isSensitive: type === PASSWORD, values }
  }
}

// Brokers have settings in hours and minutes, too; those in milliseconds win.
function inTopicUnits(given: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map(given)
  for (const [name, coarse, ms] of coarseSettings) {
    const value = found.get(coarse)
    if (value === undefined || found.has(name)) continue
    found.set(name, Number(value) < 0 ? '-1' : String(Number(value) * ms))
  }
  return found
}
