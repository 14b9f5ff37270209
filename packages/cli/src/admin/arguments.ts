import { InvalidArgumentError } from 'commander'
import type { TopicPartition } from 'ottla'
import { UsageError } from '../terminal/terminal.ts'

/** What is written on the command line of `ottla admin`, as values. Each throws UsageError saying how to write it. */

/** `orders:3` */
export function parsePartition(text: string): TopicPartition {
  const [, topic, partition] = /^(.+):(\d+)$/.exec(text) ?? []
  if (topic === undefined) throw new UsageError(`${text}: write it as TOPIC:PARTITION`)
  return { topic, partition: Number(partition) }
}

/** `orders`, or `orders:0,3`; without partitions: all of the topic. */
export function parseTopicPartitions(text: string): { topic: string; partitions: number[] | undefined } {
  const [, topic, list] = /^(.+):(\d+(?:,\d+)*)$/.exec(text) ?? []
  if (topic === undefined || list === undefined) return { topic: text, partitions: undefined }
  return { topic, partitions: list.split(',').map(Number) }
}

/** `retention.ms=1000`; the value may be empty and may have more `=` in it. */
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

/** ms since the epoch, or a date as ISO 8601 writes it; without a zone it is UTC, as Kafka's tools take it. */
export function parseTime(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const time = Date.parse(zoned)
  if (Number.isNaN(time)) throw new UsageError(`${text}: write the time as ms since the epoch or 2026-11-23T08:00:00Z`)
  return time
}

const UNIT_MS = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 } as const

/** A duration as ISO 8601 writes it, days and shorter: `P1DT2H`, `PT30M`. In ms. */
export function parseDuration(text: string): number {
  const match = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (match === null) throw new UsageError(`${text}: write the duration as P1D, PT2H30M or PT45S`)
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  const { D, H, M, S } = UNIT_MS
  return Number(days) * D + Number(hours) * H + Number(minutes) * M + Number(seconds) * S
}

/** For options that take a producer id: all 64 bits of it. */
export function parseProducerId(value: string): bigint {
  if (/^\d+$/.test(value) && BigInt(value) < 2n ** 63n) return BigInt(value)
  throw new InvalidArgumentError('It must be a whole number from 0 to 9223372036854775807.')
}
