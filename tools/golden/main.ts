/**
 * Makes test/golden/messages.jsonl.gz: random values for every message and version, and their bytes as Apache Kafka's
 * own classes write them. Needs Java and Maven. `npm run golden [SEED]`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { runJava } from '../../test/harness/java.ts'
import { isClientRequest, parseSpec, standaloneNames, type Message } from '../codegen/spec.ts'
import { RandomMessages, seededRandom, type Json } from './random-messages.ts'

const FILLS = 3
const root = new URL('../../', import.meta.url)

export interface GoldenCase {
  readonly name: string
  readonly version: number
  /** Numbers that a double might not hold are strings. */
  readonly json: Json
  /** Hexadecimal. */
  readonly bytes: string
  /** The same with a tagged field that nobody knows in every structure; only for flexible versions. */
  readonly withUnknownTag?: string
}

/** Messages that there are codecs for. */
export function goldenMessages(specJson: string): Message[] {
  const messages = parseSpec(specJson)
  const keys = new Set(messages.filter(isClientRequest).map(message => message.apiKey))
  return messages.filter(({ type, name, apiKey }) => {
    if (type === 'request' || type === 'response') return keys.has(apiKey)
    return type === 'header' || standaloneNames.has(name)
  })
}

/** Random values, written by Java. */
export async function makeGolden(seed: number): Promise<GoldenCase[]> {
  const spec = readFileSync(new URL('spec/kafka-messages-4.3.1.json', root), 'utf8')
  const random = seededRandom(seed)
  const asked: { name: string; version: number; flexible: boolean; json: Json }[] = []
  for (const message of goldenMessages(spec)) {
    for (let version = message.versions.from; version <= message.versions.to; version++) {
      const flexible = version >= message.flexible.from && version <= message.flexible.to
      const messages = new RandomMessages(message, random)
      const { name } = message
      asked.push({ name, version, flexible, json: messages.bare(version) })
      for (let fill = 0; fill < FILLS; fill++) asked.push({ name, version, flexible, json: messages.make(version) })
    }
  }
  const lines = asked.map(
    ({ name, version, flexible, json }) =>
      `${name}\t${version}\t${flexible}\t${JSON.stringify(json, wideAsText).replace(/"wide:(-?\d+)"/g, '$1')}`,
  )
  const { stdout, stderr, code } = await runJava('4.3.1', 'Golden', [], lines.join('\n'))
  if (code !== 0) throw new Error(`Golden.java failed: ${stderr}`)
  const written = stdout.trimEnd().split('\n')
  if (written.length !== asked.length) throw new Error(`${written.length} lines for ${asked.length} messages`)
  return asked.map(({ name, version, json }, i) => {
    const [bytes = '', withUnknownTag] = (written[i] ?? '').split(' ')
    return { name, version, json, bytes, ...(withUnknownTag === undefined ? {} : { withUnknownTag }) }
  })
}

// JSON.stringify knows no bigint; Kafka's converters want a number.
function wideAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `wide:${value}` : value
}

if (process.argv[1]?.endsWith('golden/main.ts') === true) {
  const cases = await makeGolden(Number(process.argv[2] ?? 20261123))
  const text = cases
    .map(each => JSON.stringify(each, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
    .join('\n')
  const packed = gzipSync(text, { level: 9 })
  writeFileSync(new URL('test/golden/messages.jsonl.gz', root), packed)
  console.log(`golden: ${cases.length} messages, ${packed.length} bytes`)
}
