/** Bytes and schemas that somebody means harm with: an error, little memory, no long wait. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  SchemaRegistry,
  SchemaRegistryError,
  type RegistrySerdes,
  type RegistrySerdesContext,
} from '../../src/index.ts'
import { readIndexes } from '../../src/protobuf/indexes.ts'
import { parseProto } from '../../src/protobuf/parse.ts'
import { printProto } from '../../src/protobuf/print.ts'
import { readDescriptor } from '../../src/protobuf/read-descriptor.ts'
import { OrderSchema, file_shop_order } from '../protobuf/shop/order_pb.ts'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { tinyRegistry } from '../tiny-registry.ts'

const RUNS = 1500

/** The same numbers for the same seed: xorshift. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const context = (headers: RegistrySerdesContext['headers'] = []): RegistrySerdesContext => ({
  topic: 'orders',
  field: 'value',
  headers,
})

/** Bytes with some of them changed, taken away, or doubled. */
function damaged(bytes: Buffer, from: number, roll: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  for (let n = 1 + roll(4); n > 0; n--) copy[from + roll(copy.length - from)] = roll(256)
  const cut = roll(3)
  if (cut === 0) return copy.subarray(0, from + roll(copy.length - from + 1))
  return cut === 1 ? Buffer.concat([copy, copy.subarray(from)]) : copy
}

async function started(t: TestContext) {
  const tiny = await tinyRegistry(t)
  return new SchemaRegistry({ url: tiny.url, retryBackoffMs: 1 })
}

/** Either a value, or an error that names the schema. */
async function survives(
  serdes: Pick<RegistrySerdes<unknown>, 'deserialize'>,
  bytes: Buffer,
  schemaId: number,
): Promise<void> {
  try {
    await serdes.deserialize(bytes, context())
  } catch (error) {
    assert.ok(error instanceof SchemaRegistryError, String(error))
    assert.equal(error.code, 'INVALID_DATA')
    assert.equal(error.schemaId, schemaId)
  }
}

test('damaged Protobuf messages give a value or an error', async t => {
  const registry = await started(t)
  const order = create(OrderSchema, {
    id: 7n,
    customer: { name: 'Ada' },
    items: [{ sku: 'a', count: 2 }],
    prices: { a: { cents: 5n } },
    codes: [1, 2, 3],
    at: { seconds: 5n },
  })
  const bytes = await registry.protobuf(OrderSchema).serialize(order, context())
  const roll = dice(7)
  for (const serdes of [registry.protobuf(OrderSchema), registry.protobuf(), registry.protobuf({ values: 'json' })]) {
    await serdes.deserialize(bytes, context())
    for (let i = 0; i < RUNS; i++) await survives(serdes, damaged(bytes, 5, roll), 2)
  }
})

test('damaged JSON values give a value or an error', async t => {
  const registry = await started(t)
  const schema = { properties: { a: { type: 'string' }, b: { $ref: '#' } }, additionalProperties: false }
  const serdes = registry.json({ schema })
  const bytes = await serdes.serialize({ a: 'x', b: { a: 'y', b: {} } }, context())
  const roll = dice(11)
  for (let i = 0; i < RUNS; i++) await survives(serdes, damaged(bytes, 5, roll), 1)
  const deep = Buffer.from(`${'{"b":'.repeat(200_000)}{}${'}'.repeat(200_000)}`)
  await assert.rejects(async () => serdes.deserialize(Buffer.concat([bytes.subarray(0, 5), deep]), context()), {
    code: 'INVALID_DATA',
    schemaId: 1,
  })
})

test('messages that are nested too deep, or claim to be long, are errors', async t => {
  const registry = await started(t)
  const serdes = registry.protobuf<{ name: string }>({
    schema: 'syntax = "proto3"; message M { M m = 1; string name = 2; }',
  })
  const bytes = await serdes.serialize({ name: 'x' }, context())
  const claims = Buffer.concat([bytes.subarray(0, 6), Buffer.from('12ffffffff07', 'hex')])
  await assert.rejects(async () => serdes.deserialize(claims, context()), { code: 'INVALID_DATA', schemaId: 1 })
  let inner = Buffer.alloc(0)
  const levels: Buffer[] = []
  for (let i = 0, length = 0; i < 100_000; i++) {
    const size: number[] = []
    for (let rest = length; ; rest >>>= 7) {
      if (rest < 0x80) {
        size.push(rest)
        break
      }
      size.push((rest & 0x7f) | 0x80)
    }
    const head = Buffer.from([0x0a, ...size])
    levels.unshift(head)
    length += head.length
  }
  inner = Buffer.concat([bytes.subarray(0, 6), ...levels])
  await assert.rejects(async () => serdes.deserialize(inner, context()), { code: 'INVALID_DATA', schemaId: 1 })
})

test('prefixes, headers and indexes of any bytes give an error', async t => {
  const registry = await started(t)
  const serdes = registry.protobuf(OrderSchema)
  await serdes.prepare('orders')
  const roll = dice(13)
  for (let i = 0; i < RUNS; i++) {
    const bytes = Buffer.from(Array.from({ length: roll(24) }, () => roll(256)))
    // What names a schema would be asked for.
    if (bytes[0] === 0 || bytes[0] === 1) bytes[0] = 2
    await assert.rejects(async () => serdes.deserialize(bytes, context()), { code: 'INVALID_DATA' })
    const header = [{ key: '__value_schema_id', value: bytes }]
    await assert.rejects(async () => serdes.deserialize(Buffer.alloc(3), context(header)), { code: 'INVALID_DATA' })
    try {
      readIndexes(bytes, 0)
    } catch (error) {
      assert.equal((error as SchemaRegistryError).code, 'INVALID_DATA')
    }
  }
  assert.throws(() => readIndexes(Buffer.from('ffffffff0f', 'hex'), 0), { code: 'INVALID_DATA' })
  assert.throws(() => readIndexes(Buffer.from('8001', 'hex'), 0), { code: 'INVALID_DATA' })
  assert.throws(() => readIndexes(Buffer.alloc(0), 0), { code: 'INVALID_DATA' })
})

test('damaged descriptors and .proto files give a file or an error', () => {
  const roll = dice(17)
  const descriptor = Buffer.from(toBinary(FileDescriptorProtoSchema, file_shop_order.proto))
  const text = printProto(readDescriptor(descriptor).file)
  for (let i = 0; i < RUNS; i++) {
    for (const attempt of [
      () => readDescriptor(damaged(descriptor, 0, roll)),
      () => parseProto(damaged(Buffer.from(text), 0, roll).toString('latin1')),
    ]) {
      try {
        attempt()
      } catch (error) {
        assert.ok(error instanceof SchemaRegistryError, String(error))
      }
    }
  }
  for (const hostile of [
    'message M {'.repeat(100_000),
    `option a = ${'['.repeat(100_000)}`,
    `option a = ${'{a:'.repeat(100_000)}`,
    `/*${' '.repeat(100_000)}`,
    `import "${'\\'.repeat(99_999)}`,
    '//'.repeat(100_000),
    `message M { reserved ${'1,'.repeat(100_000)} }`,
  ]) {
    try {
      parseProto(hostile)
    } catch (error) {
      assert.equal((error as SchemaRegistryError).code, 'INVALID_SCHEMA')
    }
  }
})
