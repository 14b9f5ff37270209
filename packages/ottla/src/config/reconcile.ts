/** Settings that depend on each other: derives defaults and finds contradictions. */
import { invalidArgument } from '../errors.ts'
import { checkOAuthBearer } from './oauthbearer.ts'
import { partitioners } from './producer.ts'
import type { ConfigKind } from './property.ts'
import { resetPolicy } from './reset-policy.ts'
import type { PropertyName } from './table.ts'

type Values = Record<string, unknown>

// Room for what surrounds the records in a fetch response; the same figure as librdkafka's.
const FETCH_OVERHEAD_BYTES = 512

/**
 * Adjusts `values` in place where a default follows from another setting.
 * Throws KafkaError ERR__INVALID_ARG for settings that contradict each other.
 * @param set the properties that the application has set
 */
export function reconcile(kind: ConfigKind, values: Values, set: ReadonlySet<PropertyName>): void {
  common(values, set)
  checkOAuthBearer(values, set)
  if (kind === 'consumer' || kind === 'share') consumer(values, set)
  if (kind === 'producer') producer(values, set)
}

function common(values: Values, set: ReadonlySet<PropertyName>): void {
  const refresh = num(values, 'topic.metadata.refresh.interval.ms')
  if (!set.has('metadata.max.age.ms') && refresh > 0) values['metadata.max.age.ms'] = refresh * 3
  const base = num(values, 'retry.backoff.ms')
  if (num(values, 'retry.backoff.max.ms') < base) {
    if (set.has('retry.backoff.max.ms'))
      throw invalidArgument('retry.backoff.max.ms must not be below retry.backoff.ms')
    values['retry.backoff.max.ms'] = base
  }
  if (num(values, 'reconnect.backoff.max.ms') < num(values, 'reconnect.backoff.ms')) {
    if (set.has('reconnect.backoff.max.ms')) {
      throw invalidArgument('reconnect.backoff.max.ms must not be below reconnect.backoff.ms')
    }
    values['reconnect.backoff.max.ms'] = values['reconnect.backoff.ms']
  }
  for (const name of Array.isArray(values['topic.blacklist']) ? (values['topic.blacklist'] as string[]) : []) {
    try {
      new RegExp(name)
    } catch (cause) {
      throw invalidArgument(`topic.blacklist: '${name}' is not a regular expression`, cause)
    }
  }
}

// What the coordinator decides under group.protocol=consumer.
const classicOnly: readonly PropertyName[] = [
  'partition.assignment.strategy',
  'session.timeout.ms',
  'heartbeat.interval.ms',
  'group.protocol.type',
]

function consumer(values: Values, set: ReadonlySet<PropertyName>): void {
  const reset = String(values['auto.offset.reset'])
  const policy = resetPolicy(reset)
  if (policy === null) {
    throw invalidArgument(
      `auto.offset.reset=${reset} is not valid: it needs an ISO 8601 duration of days and times, such as P7D or PT1H30M`,
    )
  }
  if (policy.to !== 'age') values['auto.offset.reset'] = policy.to
  fetchSizes(values, set)
  if (values['group.protocol'] === 'consumer') {
    const wrong = classicOnly.find(name => set.has(name))
    if (wrong !== undefined)
      throw invalidArgument(
        `${wrong} is for group.protocol=classic; with group.protocol=consumer the broker decides it`,
      )
    return
  }
  if (num(values, 'max.poll.interval.ms') < num(values, 'session.timeout.ms')) {
    throw invalidArgument('max.poll.interval.ms must not be below session.timeout.ms')
  }
  if (num(values, 'session.timeout.ms') <= num(values, 'heartbeat.interval.ms')) {
    if (set.has('heartbeat.interval.ms')) {
      throw invalidArgument('heartbeat.interval.ms must be below session.timeout.ms; a third of it is best')
    }
    values['heartbeat.interval.ms'] = Math.max(1, Math.floor(num(values, 'session.timeout.ms') / 3))
  }
  const strategies = values['partition.assignment.strategy'] as string[] // the table makes it a list
  if (strategies.length === 0)
    throw invalidArgument('partition.assignment.strategy is empty: it takes at least one strategy')
}

function fetchSizes(values: Values, set: ReadonlySet<PropertyName>): void {
  const messageMax = num(values, 'message.max.bytes')
  if (num(values, 'fetch.max.bytes') < messageMax) {
    if (set.has('fetch.max.bytes')) throw invalidArgument('fetch.max.bytes must not be below message.max.bytes')
    values['fetch.max.bytes'] = messageMax
  }
  const needed = num(values, 'fetch.max.bytes') + FETCH_OVERHEAD_BYTES
  if (num(values, 'receive.message.max.bytes') < needed) {
    if (set.has('receive.message.max.bytes')) {
      throw invalidArgument(
        `receive.message.max.bytes must be at least fetch.max.bytes + ${FETCH_OVERHEAD_BYTES} (${needed})`,
      )
    }
    values['receive.message.max.bytes'] = needed
  }
}

function producer(values: Values, set: ReadonlySet<PropertyName>): void {
  const partitioner = String(values['partitioner'])
  if (!partitioners.includes(partitioner)) {
    throw invalidArgument(`partitioner=${partitioner} is not valid: it takes ${partitioners.join(', ')}`)
  }
  const linger = num(values, 'queue.buffering.max.ms')
  if (!set.has('sticky.partitioning.linger.ms')) {
    values['sticky.partitioning.linger.ms'] = Math.min(900_000, Math.ceil(linger * 2))
  }
  const timeout = num(values, 'message.timeout.ms')
  if (timeout > 0 && timeout <= linger) {
    if (set.has('queue.buffering.max.ms') && set.has('message.timeout.ms')) {
      throw invalidArgument('linger.ms must be below message.timeout.ms, or every message expires in the queue')
    }
    values['queue.buffering.max.ms'] = Math.max(0, timeout - 0.1)
  }
  const acks = num(values, 'request.required.acks')
  if (acks > 1) throw invalidArgument(`acks=${acks} is not valid: brokers support all (-1), 1 and 0`)
  const idempotent = values['enable.idempotence'] === true || values['transactional.id'] !== undefined
  if (idempotent) idempotence(values, set)
}

function idempotence(values: Values, set: ReadonlySet<PropertyName>): void {
  values['enable.idempotence'] = true
  if (num(values, 'request.required.acks') !== -1) throw invalidArgument('enable.idempotence=true needs acks=all')
  if (num(values, 'message.send.max.retries') < 1)
    throw invalidArgument('enable.idempotence=true needs retries of 1 or more')
  if (num(values, 'max.in.flight.requests.per.connection') > 5) {
    if (set.has('max.in.flight.requests.per.connection')) {
      throw invalidArgument('enable.idempotence=true needs max.in.flight of 5 or less')
    }
    values['max.in.flight.requests.per.connection'] = 5
  }
  if (values['transactional.id'] === undefined) return
  const limit = num(values, 'transaction.timeout.ms')
  if (num(values, 'message.timeout.ms') > limit || num(values, 'message.timeout.ms') === 0) {
    if (set.has('message.timeout.ms')) {
      throw invalidArgument('message.timeout.ms must not be above transaction.timeout.ms')
    }
    values['message.timeout.ms'] = limit
  }
}

function num(values: Values, key: PropertyName): number {
  return values[key] as number // the table declares it as a number with a default
}
