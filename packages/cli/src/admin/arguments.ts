import { InvalidArgumentError } from 'commander'
import type { TopicPartition } from 'ottla'
import { UsageError } from '../terminal/terminal.ts'

/** Parsers of arguments of `ottla admin`. Each throws a UsageError that says what to write. */

/** `orders:3` */
export function parsePartition(text: string): TopicPartition {
  const [, topic, partition] = /^(.+):(\d+)$/.exec(text) ?? []
  if (topic === undefined) throw new UsageError(`${text}: write it as TOPIC:PARTITION`)
  return { topic, partition: Number(partition) }
}

/** `orders` (all partitions) or `orders:0,3`. */
export function parseTopicPartitions(text: string): { topic: string; partitions: number[] | undefined } {
  const [, topic, list] = /^(.+):(\d+(?:,\d+)*)$/.exec(text) ?? []
  if (topic === undefined || list === undefined) return { topic: text, partitions: undefined }
  return { topic, partitions: list.split(',').map(Number) }
}

/** `retention.ms=1000`; the value may be empty or contain `=`. */
export function parsePair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`${text}: write it as NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `1,2,3` */
export function parseIds(text: string, what: string): number[] {
  if (!/^\d+(,\d+)*$/.test(text)) throw new UsageError(`${what}: write the brokers as 1,2,3`)
  return text.split(',').map(Number)
}

/** Milliseconds since the epoch, or an ISO 8601 date; without a zone it is UTC, as in Kafka's tools. */
export function parseTime(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const time = Date.parse(zoned)
  if (Number.isNaN(time)) throw new UsageError(`${text}: write the time as ms since the epoch or 2026-11-23T08:00:00Z`)
  return time
}

const UNIT_MS = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 } as const

/** An ISO 8601 duration of days and shorter units, `P1DT2H` or `PT30M`, in ms. */
export function parseDuration(text: string): number {
  const match = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (match === null) throw new UsageError(`${text}: write the duration as P1D, PT2H30M or PT45S`)
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  const { D, H, M, S } = UNIT_MS
  return Number(days) * D + Number(hours) * H + Number(minutes) * M + Number(seconds) * S
}

/** Parser of an option that takes a producer id, with all of its 64 bits. */
export function parseProducerId(value: string): bigint {
  if (/^\d+$/.test(value) && BigInt(value) < 2n ** 63n) return BigInt(value)
  throw new InvalidArgumentError('It must be a whole number from 0 to 9223372036854775807.')
}
