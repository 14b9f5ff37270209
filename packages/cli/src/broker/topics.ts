/** Topics as they are written on the command line. */
import { UsageError } from '../terminal/terminal.ts'

export interface TopicToCreate {
  readonly name: string
  readonly partitions: number
  readonly configs?: Readonly<Record<string, string>>
}

/**
 * `orders:6`, `customers:3:cleanup.policy=compact,min.compaction.lag.ms=1000`; a comma without a key and `=` after it
 * belongs to the value: `cleanup.policy=compact,delete`
 * @throws UsageError
 */
export function parseTopic(text: string): TopicToCreate {
  const [, name, partitions = '', rest] = /^([\w.-]+):(\d+)(?::(.+))?$/.exec(text) ?? []
  if (name === undefined) throw new UsageError(`--topic ${text}: write it as NAME:PARTITIONS[:KEY=VALUE,...]`)
  return {
    name,
    partitions: Number(partitions),
    ...(rest === undefined ? {} : { configs: parseSettings(rest, '--topic') }),
  }
}

/**
 * `a=1,b=2`
 * @throws UsageError
 */
export function parseSettings(text: string, option: string): Record<string, string> {
  return Object.fromEntries(text.split(/,(?=[\w.-]+=)/).map(pair => parseSetting(pair, option)))
}

/**
 * `a=1`
 * @throws UsageError
 */
export function parseSetting(pair: string, option: string): [key: string, value: string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`${option} ${pair}: write it as KEY=VALUE`)
  return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
}
