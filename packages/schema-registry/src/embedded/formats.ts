/** What the registry knows of each format. */
import type { SchemaType } from '../types.ts'
import { avroFormat } from './avro-format.ts'
import type { RegistryFormat } from './format.ts'
import { jsonFormat } from './json-format.ts'
import { protobufFormat } from './protobuf-format.ts'

export const formats: Readonly<Record<SchemaType, RegistryFormat>> = {
  AVRO: avroFormat,
  JSON: jsonFormat,
  PROTOBUF: protobufFormat,
}
