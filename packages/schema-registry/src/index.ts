/** A schema registry's client, with serdes for Avro, Protobuf and JSON Schema. */
export {
  SchemaRegistry,
  type AvroFactory,
  type JsonFactory,
  type ProtobufFactory,
  type SchemaRegistryOptions,
  type Version,
} from './registry.ts'
export { SchemaRegistryError, type SchemaErrorCode, type SchemaErrorDetails } from './errors.ts'
export type { RestOptions } from './client/rest.ts'
export type { ClientCredentials, RegistryAuth } from './client/auth.ts'
export type { RegistryTls } from './client/transport.ts'
export type { CommonSerdesOptions, RegistrySerdes, RegistrySerdesContext } from './serdes/engine.ts'
export type { AvroOptions, AvroSerdesOptions } from './serdes/avro.ts'
export type { JsonOptions, JsonSerdesOptions } from './serdes/json.ts'
export type { GeneratedMessage, ProtobufOptions, ProtobufSerdesOptions, ProtobufValue } from './serdes/protobuf.ts'
export {
  confluentSerdes,
  type ConfluentDeserializer,
  type ConfluentHeaders,
  type ConfluentSerdes,
  type ConfluentSerializer,
} from './serdes/confluent.ts'
export type { SubjectContext, SubjectNaming } from './serdes/subjects.ts'
export type { ResolvedReference } from './serdes/format.ts'
export type { LogicalConversion, LogicalTypes } from './avro/logical.ts'
export type {
  AvroValue,
  AvroBranchName,
  AvroBucketOf,
  AvroBuckets,
  AvroComplex,
  AvroConverted,
  AvroDefinitions,
  AvroFieldDefinitions,
  AvroFlat,
  AvroIsAmbiguous,
  AvroLogicalOf,
  AvroNameOf,
  AvroNamed,
  AvroNames,
  AvroNamesIn,
  AvroNamesOf,
  AvroPrimitives,
  AvroRecordOf,
  AvroTypeOptions,
  AvroUnion,
  AvroValueOf,
  AvroWrapped,
} from './infer/avro.ts'
export type {
  JsonAdditional,
  JsonArrayOf,
  JsonCombined,
  JsonItems,
  JsonMutable,
  JsonObjectOf,
  JsonParts,
  JsonReferred,
  JsonRequired,
  JsonSchemaValue,
  JsonTyped,
  JsonValueOf,
} from './infer/json.ts'
export type {
  CompatibilityLevel,
  CompatibilityResult,
  ListOptions,
  RegisteredSchema,
  RegistryConfig,
  RegistryMode,
  SchemaMetadata,
  SchemaOptions,
  SchemaReference,
  SchemaType,
} from './types.ts'
