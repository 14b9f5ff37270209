/**
 * Reads messages of a few bytes that claim to have gigabytes, in a process whose heap is small, and prints what that took:
 * `{ read, refused, arrayBuffers, rss }`, the last two as the most bytes beyond what there was before. With `--probe` it
 * allocates a quarter of a gigabyte instead, as a naive reader would.
 */
import { SchemaRegistry, SchemaRegistryError, type RegistrySerdesContext } from '../../src/index.ts'
import { EmbeddedSchemaRegistry } from '../../src/embedded/index.ts'

const context: RegistrySerdesContext = { topic: 'orders', field: 'value', headers: [] }

type Deserialize = (bytes: Buffer) => unknown

/** A message's readers, what is in front of the claim, and the claims. */
interface Case {
  readonly deserialize: Deserialize
  readonly before: Buffer
  readonly claims: readonly Buffer[]
}

const SIZES = [2n ** 28n, 2n ** 30n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n, 2n ** 53n - 1n]

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const registry = await EmbeddedSchemaRegistry.start()
const client = new SchemaRegistry({ url: registry.url })
const peaks = { arrayBuffers: 0, rss: 0 }
let refused = 0
let read = 0
try {
  const cases = [...(await avroCases()), ...(await protobufCases()), ...(await jsonCases())]
  const before = { arrayBuffers: process.memoryUsage().arrayBuffers, rss: process.resourceUsage().maxRSS * 1024 }
  if (process.argv.includes('--probe')) Buffer.allocUnsafe(2 ** 28)
  measure(before)
  for (const { deserialize, before: start, claims } of cases) {
    for (const claim of claims) {
      try {
        await deserialize(Buffer.concat([start, claim]))
        read++
      } catch (error) {
        if (!(error instanceof SchemaRegistryError) || error.code !== 'INVALID_DATA') throw error
        refused++
      }
      measure(before)
    }
  }
} finally {
  await registry.close()
}
console.log(JSON.stringify({ read, refused, ...peaks }))

/** At once: what has been allocated is counted until the collector comes. */
function measure(before: { readonly arrayBuffers: number; readonly rss: number }): void {
  peaks.arrayBuffers = Math.max(peaks.arrayBuffers, process.memoryUsage().arrayBuffers - before.arrayBuffers)
  peaks.rss = Math.max(peaks.rss, process.resourceUsage().maxRSS * 1024 - before.rss)
}

/** Lengths and counts, positive and with the size of their block, in what is read and in what is passed over. */
async function avroCases(): Promise<Case[]> {
  const empty = { type: 'record', name: 'Empty', fields: [] }
  const types = ['string', 'bytes', ...['null', 'int', 'string', 'bytes', empty].flatMap(listsOf)]
  const field = (type: unknown, i: number) => ({
    type: 'record',
    name: `R${i}`,
    fields: [
      { name: 'a', type },
      { name: 'b', type: 'int', default: 0 },
    ],
  })
  const claims = SIZES.flatMap(size => [
    ...[varint(size * 2n), Buffer.concat([varint(size * 2n), Buffer.alloc(40, 2)])],
    Buffer.concat([varint(size * 2n - 1n), varint(80n), Buffer.alloc(40, 2)]),
    Buffer.concat([varint(size * 2n - 1n), varint(size * 2n), Buffer.alloc(40, 2)]),
  ])
  const cases: Case[] = []
  for (const [i, type] of types.entries()) {
    const schema = field(type, i)
    const less = { ...schema, fields: schema.fields.slice(1) }
    const topic = { ...context, topic: `avro-${i}` }
    const serdes = client.avro({ schema })
    const value = { a: type === 'string' ? '' : type === 'bytes' ? Buffer.alloc(0) : isArray(type) ? [] : {}, b: 1 }
    const bytes = await serdes.serialize(value, topic)
    for (const reader of [serdes, client.avro({ schema, long: 'bigint' }), client.avro({ readerSchema: less })]) {
      await reader.deserialize(bytes, topic)
      cases.push({ deserialize: data => reader.deserialize(data, topic), before: bytes.subarray(0, 5), claims })
    }
  }
  return cases
}

function listsOf(items: unknown): object[] {
  return [
    { type: 'array', items },
    { type: 'map', values: items },
  ]
}

function isArray(type: unknown): boolean {
  return (type as { type?: unknown }).type === 'array'
}

/** Lengths of text, bytes, messages, packed numbers and entries of maps, known fields and unknown ones, and indexes. */
async function protobufCases(): Promise<Case[]> {
  const schema = `syntax = "proto3"; message M {
    string s = 1; bytes b = 2; M m = 3; repeated int32 i = 4; repeated double d = 5; map<string, M> e = 6;
    repeated string t = 7; repeated bool f = 8; }`
  const bytes = await client.protobuf({ schema }).serialize({ s: 'x' }, context)
  const tags = Array.from({ length: 12 }, (_, i) => (i + 1) * 8 + 2)
  // Lengths have 32 bits: what is beyond them does not count, for Java neither.
  const sizes = SIZES.filter(size => BigInt.asUintN(32, size) > 0n)
  const lengths = tags.flatMap(tag =>
    sizes.flatMap(size =>
      [Buffer.alloc(0), Buffer.alloc(60)].map(rest => Buffer.concat([Buffer.of(tag), varint(size), rest])),
    ),
  )
  const nested = lengths.map(inner => Buffer.concat([Buffer.of(3 * 8 + 2, inner.length), inner]))
  const indexes = SIZES.map(size => Buffer.concat([varint(size * 2n), Buffer.alloc(40, 2)]))
  const cases: Case[] = []
  for (const reader of [client.protobuf({ schema }), client.protobuf(), client.protobuf({ values: 'json' })]) {
    await reader.deserialize(bytes, context)
    const deserialize: Deserialize = data => reader.deserialize(data, context)
    cases.push({ deserialize, before: bytes.subarray(0, 6), claims: [...lengths, ...nested] })
    cases.push({ deserialize, before: bytes.subarray(0, 5), claims: indexes })
  }
  return cases
}

/** JSON has no lengths: what is left is depth, and numbers that stand for many digits. */
async function jsonCases(): Promise<Case[]> {
  const schema = { type: 'object', properties: { a: { type: 'integer', multipleOf: 7 }, b: { $ref: '#' } } }
  const serdes = client.json({ schema })
  const topic = { ...context, topic: 'json' }
  const bytes = await serdes.serialize({ a: 7 }, topic)
  await serdes.deserialize(bytes, topic)
  const texts = [
    ...['{"a":1e999999999}', `{"a":${'9'.repeat(1000)}.5}`, '{"a":', '"'],
    ...['{"b":'.repeat(20_000), '['.repeat(20_000), '[[],'.repeat(5000)],
  ]
  return [
    {
      deserialize: data => serdes.deserialize(data, topic),
      before: bytes.subarray(0, 5),
      claims: texts.map(text => Buffer.from(text)),
    },
  ]
}
