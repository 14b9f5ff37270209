// The serdes of @confluentinc/schemaregistry, told what to do line by line (see ../peer.ts): `schemas.mjs FOLDER URL`, with
// the folder that the package is installed in. Values that JSON lacks are `{"$kind": ...}`.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [folder, url] = process.argv.slice(2)
const load = createRequire(join(folder, 'package.json'))
const confluent = load('@confluentinc/schemaregistry')
const { types } = load('avsc')
const { createFileRegistry, fromBinary, fromJson, toJson } = load('@bufbuild/protobuf')
const { FileDescriptorSetSchema } = load('@bufbuild/protobuf/wkt')

const { HeaderSchemaIdSerializer, SerdeType, SubjectNameStrategyType } = confluent
const client = confluent.SchemaRegistryClient.newClient({ baseURLs: [url] })

// The default, which asks the registry for what is associated with the topic, is what programs have.
const namings = { record: SubjectNameStrategyType.RECORD, 'topic-record': SubjectNameStrategyType.TOPIC_RECORD }

/** What Avro's logical types are in a program that wants to see them. */
class Decimal extends types.LogicalType {
  constructor(schema, options) {
    super(schema, options)
    this.scale = schema.scale ?? 0
    this.size = schema.size
  }

  _fromValue(bytes) {
    const digits = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
    const text = `${digits < 0n ? -digits : digits}`.padStart(this.scale + 1, '0')
    const [whole, rest] = [text.slice(0, text.length - this.scale), text.slice(text.length - this.scale)]
    return { $decimal: `${digits < 0n ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}` }
  }

  _toValue({ $decimal }) {
    const digits = BigInt($decimal.replace('.', ''))
    const { length } = (digits < 0n ? -digits - 1n : digits).toString(2)
    const size = this.size ?? Math.max(1, Math.ceil(($decimal === '0' ? 1 : length + 1) / 8))
    const hex = BigInt.asUintN(size * 8, digits).toString(16)
    return Buffer.from(hex.padStart(size * 2, '0'), 'hex')
  }
}

const kind = name =>
  class extends types.LogicalType {
    _fromValue(value) {
      return { [name]: value }
    }

    _toValue(value) {
      return value[name]
    }
  }

const big = value => (value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? Number(value) : { $long: `${value}` })
const long = types.LongType.__with({
  fromBuffer: buffer => big(buffer.readBigInt64LE()),
  toBuffer(value) {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64LE(BigInt(value.$long ?? value))
    return buffer
  },
  fromJSON: value => value,
  toJSON: value => value,
  isValid: value => Number.isInteger(value) || value?.$long !== undefined,
  compare: (a, b) => Number(BigInt(a.$long ?? a) - BigInt(b.$long ?? b)),
})

/** What the package passes on to avsc. */
const avro = () => ({
  typeHook: schema => (schema === 'long' ? long : undefined),
  logicalTypes: {
    decimal: Decimal,
    date: kind('$date'),
    'timestamp-millis': kind('$millis'),
    'timestamp-micros': kind('$micros'),
  },
})

/** What it passes on to ajv, which knows no formats by itself. */
const ajv = { validate: true, formats: { 'date-time': true } }

const isPlain = value => typeof value === 'object' && value !== null && !Buffer.isBuffer(value)

function given(value) {
  if (Array.isArray(value)) return value.map(given)
  if (!isPlain(value)) return value
  if (value.$bytes !== undefined) return Buffer.from(value.$bytes, 'hex')
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, given(each)]))
}

function said(value) {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('hex') }
  if (Array.isArray(value)) return value.map(said)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, said(each)]))
}

const registries = new Map()

function protobufTypes({ files }) {
  let made = registries.get(files)
  if (made === undefined) {
    made = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(files, 'base64')))
    registries.set(files, made)
  }
  return made
}

const serdeTypeOf = ({ field }) => (field === 'key' ? SerdeType.KEY : SerdeType.VALUE)

function subjectOf({ topic, field = 'value' }) {
  return `${topic}-${field}`
}

const infoOf = ({ format, schema, references = [] }) => ({
  schemaType: format,
  schema: JSON.stringify(schema),
  references,
})

async function serializerOf(order) {
  const common = {
    ...(order.subject in namings ? { subjectNameStrategyType: namings[order.subject] } : {}),
    ...(order.idIn === 'header' ? { schemaIdSerializer: HeaderSchemaIdSerializer } : {}),
  }
  const type = serdeTypeOf(order)
  if (order.format === 'PROTOBUF') {
    const config = { ...common, autoRegisterSchemas: true, registry: protobufTypes(order) }
    return new confluent.ProtobufSerializer(client, type, config)
  }
  // It derives schemas from values, unless the registry has one.
  const { schema, topic } = order
  const record = order.format === 'AVRO' ? [schema.namespace, schema.name].filter(Boolean).join('.') : schema.title
  const subject = { record, 'topic-record': `${topic}-${record}` }[order.subject] ?? subjectOf(order)
  const useSchemaId = await client.register(subject, infoOf(order), false)
  return order.format === 'AVRO'
    ? new confluent.AvroSerializer(client, type, { ...common, ...avro(), useSchemaId })
    : new confluent.JsonSerializer(client, type, { ...common, ...ajv, useSchemaId })
}

async function deserializerOf(order) {
  const type = serdeTypeOf(order)
  if (order.format === 'PROTOBUF') return new confluent.ProtobufDeserializer(client, type, {})
  // It reads as the latest version of the subject, if as anything else than what was written.
  const config = order.schema === undefined ? {} : { useLatestVersion: true }
  if (order.schema !== undefined) await client.register(subjectOf(order), infoOf(order), false)
  return order.format === 'AVRO'
    ? new confluent.AvroDeserializer(client, type, { ...config, ...avro() })
    : new confluent.JsonDeserializer(client, type, { ...config, ...ajv })
}

function toWrite({ format, value, message, ...order }) {
  if (format !== 'PROTOBUF') return format === 'AVRO' ? given(value) : value
  const registry = protobufTypes(order)
  return value === null ? null : fromJson(registry.getMessage(message), value, { registry })
}

function asSaid({ format }, read, { fileRegistry: registry }) {
  if (format !== 'PROTOBUF') return format === 'AVRO' ? said(read) : read
  // Messages are what they were written as.
  return toJson(registry.getMessage(read.$typeName), read, { registry })
}

async function serialize(order) {
  const headers = {}
  const serializer = await serializerOf(order)
  const data = await serializer.serialize(order.topic, toWrite(order), headers)
  const written = Object.entries(headers).map(([key, value]) => [key, value.toString('hex')])
  return { bytes: data.toString('hex'), headers: written }
}

async function deserialize(order) {
  const headers = Object.fromEntries((order.headers ?? []).map(([key, value]) => [key, Buffer.from(value, 'hex')]))
  const deserializer = await deserializerOf(order)
  if (order.bytes === null) return deserializer.deserialize(order.topic, null, headers)
  const read = await deserializer.deserialize(order.topic, Buffer.from(order.bytes, 'hex'), headers)
  return asSaid(order, read, deserializer)
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  let answer
  try {
    answer = { result: await { serialize, deserialize }[order.do](order) }
  } catch (error) {
    answer = { error: String(error) }
  }
  console.log(JSON.stringify(answer))
}
