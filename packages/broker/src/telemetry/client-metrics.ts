/** Subscriptions to the metrics of clients (KIP-714): which of them, how often, from whom. */

/** What clients can be told apart by. */
export const clientTraits = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
] as const

export type ClientTraits = Readonly<Record<(typeof clientTraits)[number], string>>

const INTERVAL = 'interval.ms'
const MATCH = 'match'
const METRICS = 'metrics'
const EVERYTHING = '*'
const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 3_600_000
const LONGEST_INT = 10

const DEFAULT_INTERVAL_MS = 300_000

/** All names with their defaults. */
export const subscriptionDefaults: ReadonlyMap<string, string> = new Map([
  [INTERVAL, String(DEFAULT_INTERVAL_MS)],
  [MATCH, ''],
  [METRICS, ''],
])

export interface SubscriptionProblem {
  /** The value is none; else the request is. */
  readonly isValue: boolean
  readonly message: string
}

/** Why a setting is refused, or null. */
export function subscriptionProblem(name: string, value: string): SubscriptionProblem | null {
  switch (name) {
    case INTERVAL: {
      const number = Number(value)
      if (!/^\s*[+-]?\d+\s*$/.test(value) || value.trim().length > LONGEST_INT) {
        return { isValue: true, message: `Invalid value ${value} for configuration ${name}: not a whole number` }
      }
      if (number >= MIN_INTERVAL_MS && number <= MAX_INTERVAL_MS) return null
      return { isValue: false, message: `${name} is ${value}, it can be from ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}` }
    }
    case MATCH:
      return listed(value).some(rule => readRule(rule) === null)
        ? { isValue: true, message: `Illegal client matching pattern: ${value}` }
        : null
    case METRICS:
      return null
    default:
      return { isValue: false, message: `Unknown client metrics configuration: ${name}` }
  }
}

export class ClientMetrics {
  readonly #subscriptions = new Map<string, Map<string, string>>()
  #version = 1

  /** Goes up with each change. */
  get version(): number {
    return this.#version
  }

  /** What was set for a subscription, without defaults. */
  of(name: string): ReadonlyMap<string, string> {
    return this.#subscriptions.get(name) ?? new Map<string, string>()
  }

  names(): string[] {
    return [...this.#subscriptions.keys()]
  }

  /** The caller has asked {@link subscriptionProblem}. @param value null: back to the default */
  set(name: string, config: string, value: string | null): void {
    const own = this.#subscriptions.get(name) ?? new Map<string, string>()
    this.#version++
    if (value === null) own.delete(config)
    else own.set(config, value)
    if (own.size > 0) this.#subscriptions.set(name, own)
    else this.#subscriptions.delete(name)
  }

  /** What a client is asked for: all that matches it together, as often as the most failFast wants it. */
  wantedFrom(client: ClientTraits): { readonly metrics: readonly string[]; readonly intervalMs: number } {
    const metrics = new Set<string>()
    let intervalMs = DEFAULT_INTERVAL_MS
    for (const configs of this.#subscriptions.values()) {
      const rules = listed(configs.get(MATCH) ?? '').flatMap(rule => readRule(rule) ?? [])
      if (!rules.every(({ trait, pattern }) => pattern.test(client[trait]))) continue
      for (const metric of listed(configs.get(METRICS) ?? '')) metrics.add(metric)
      intervalMs = Math.min(intervalMs, Number(configs.get(INTERVAL) ?? DEFAULT_INTERVAL_MS))
    }
    return { metrics: metrics.has(EVERYTHING) ? [EVERYTHING] : [...metrics], intervalMs }
  }
}

function listed(value: string): string[] {
  return value
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
}

function readRule(rule: string): { trait: (typeof clientTraits)[number]; pattern: RegExp } | null {
  const [name = '', text, ...more] = rule.split('=').map(part => part.trim())
  const trait = clientTraits.find(known => known === name)
  if (trait === undefined || text === undefined || more.length > 0) return null
  try {
    return { trait, pattern: new RegExp(`^(?:${text})$`) }
  } catch {
    return null
  }
}
