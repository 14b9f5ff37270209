/** Group configurations (KIP-848, KIP-932): names, defaults and validation. */

interface Setting {
  readonly defaultValue: string
  /** Why a value is not valid, or null. */
  readonly problem: (value: string) => string | null
}

// Lower limits of timeouts are below Kafka's (45 s, 5 s), so that tests can have short sessions.
const settings: ReadonlyMap<string, Setting> = new Map([
  ['consumer.session.timeout.ms', whole('45000', 1, 60_000)],
  ['consumer.heartbeat.interval.ms', whole('5000', 1, 15_000)],
  // 1000 in Kafka, where assignments are computed in the background and arrive a heartbeat later.
  ['consumer.assignment.interval.ms', whole('0', 0, 15_000)],
  ['share.session.timeout.ms', whole('45000', 1, 60_000)],
  ['share.heartbeat.interval.ms', whole('5000', 1, 15_000)],
  ['share.assignment.interval.ms', whole('0', 0, 15_000)],
  ['share.record.lock.duration.ms', whole('30000', 1, 60_000)],
  ['share.delivery.count.limit', whole('5', 2, 10)],
  ['share.partition.max.record.locks', whole('2000', 100, 10_000)],
  ['share.auto.offset.reset', { defaultValue: 'latest', problem: resetProblem }],
  ['share.isolation.level', oneOf('read_uncommitted', ['read_committed', 'read_uncommitted'])],
  ['share.renew.acknowledge.enable', oneOf('true', ['true', 'false'])],
  ['streams.session.timeout.ms', whole('45000', 1, 60_000)],
  ['streams.heartbeat.interval.ms', whole('5000', 1, 15_000)],
  ['streams.num.standby.replicas', whole('0', 0, 2)],
  // 3000 in Kafka; 0 as for classic groups, whose first members need not wait here either.
  ['streams.initial.rebalance.delay.ms', whole('0', 0, 2_147_483_647)],
  ['streams.assignment.interval.ms', whole('0', 0, 15_000)],
])

/** All names with their defaults. */
export const groupConfigDefaults: ReadonlyMap<string, string> = new Map(
  [...settings].map(([name, { defaultValue }]) => [name, defaultValue]),
)

/** The broker setting that a group setting has its default from. */
export function brokerNameOf(name: string): string {
  return `group.${name}`
}

/** Why a setting is refused, or null. @param value null: back to the default */
export function groupConfigProblem(name: string, value: string | null): string | null {
  const setting = settings.get(name)
  if (setting === undefined) return `Unknown group config name: ${name}`
  const reason = value === null ? null : setting.problem(value)
  return reason === null ? null : `Invalid value ${value} for configuration ${name}: ${reason}`
}

/** The configurations of groups, which may exist before the groups do. */
export class GroupConfigs {
  readonly #groups = new Map<string, Map<string, string>>()
  readonly #ofBrokers: ReadonlyMap<string, string>

  /** @param ofBrokers what brokers were started with: `group.share.delivery.count.limit` is the default of groups */
  constructor(ofBrokers: ReadonlyMap<string, string> = new Map()) {
    this.#ofBrokers = ofBrokers
  }

  /** What brokers were started with, for groups without a setting of their own. */
  ofBrokers(name: string): string | undefined {
    return this.#ofBrokers.get(brokerNameOf(name))
  }

  /** The group's own settings, without defaults. */
  of(groupId: string): ReadonlyMap<string, string> {
    return this.#groups.get(groupId) ?? new Map<string, string>()
  }

  /** The groups with settings of their own. */
  groupIds(): string[] {
    return [...this.#groups.keys()]
  }

  /** For settings that {@link groupConfigProblem} accepts. @param value null: back to the default */
  set(groupId: string, name: string, value: string | null): void {
    let own = this.#groups.get(groupId)
    if (value === null) own?.delete(name)
    else {
      if (own === undefined) this.#groups.set(groupId, (own = new Map<string, string>()))
      own.set(name, value)
    }
    if (own?.size === 0) this.#groups.delete(groupId)
  }

  text(groupId: string, name: string): string {
    const value = this.#groups.get(groupId)?.get(name) ?? this.ofBrokers(name) ?? groupConfigDefaults.get(name)
    if (value === undefined) throw new Error(`there is no group setting ${name}`)
    return value
  }

  number(groupId: string, name: string): number {
    return Number(this.text(groupId, name))
  }
}

/** The milliseconds of an ISO 8601 duration (`PT1H30M`, `P2D`); null if it is not valid. */
export function durationMs(text: string): number | null {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text)
  if (found === null || text.length < 3 || text.toUpperCase().endsWith('T')) return null
  // Missing parts are undefined.
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map(part => Number(part || 0))
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

function whole(defaultValue: string, min: number, max: number): Setting {
  return {
    defaultValue,
    problem: value =>
      /^-?\d+$/.test(value) && Number(value) >= min && Number(value) <= max
        ? null
        : `it must be a whole number from ${min} to ${max}`,
  }
}

function oneOf(defaultValue: string, values: readonly string[]): Setting {
  return { defaultValue, problem: value => (values.includes(value) ? null : `it must be one of ${values.join(', ')}`) }
}

function resetProblem(value: string): string | null {
  if (value === 'earliest' || value === 'latest') return null
  const duration = value.startsWith('by_duration:') ? durationMs(value.slice('by_duration:'.length)) : null
  return duration === null ? 'it must be earliest, latest or by_duration:PnDTnHnMn.nS' : null
}
