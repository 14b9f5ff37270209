/** Files that every registry and every compiler has, and that are registered nowhere. */
import { parseProto } from './parse.ts'
import type { ProtoFile } from './types.ts'

/** Of Google's only the names: whoever reads messages has their fields from `@bufbuild/protobuf`. */
const google: Readonly<Record<string, string>> = {
  any: 'Any',
  api: 'Api Method Mixin',
  duration: 'Duration',
  empty: 'Empty',
  field_mask: 'FieldMask',
  source_context: 'SourceContext',
  struct: 'Struct Value ListValue',
  timestamp: 'Timestamp',
  type: 'Type Field Enum EnumValue Option',
  wrappers: 'DoubleValue FloatValue Int64Value UInt64Value Int32Value UInt32Value BoolValue StringValue BytesValue',
  descriptor: `FileDescriptorSet FileDescriptorProto DescriptorProto FieldDescriptorProto OneofDescriptorProto
    EnumDescriptorProto EnumValueDescriptorProto ServiceDescriptorProto MethodDescriptorProto FileOptions MessageOptions
    FieldOptions OneofOptions EnumOptions EnumValueOptions ServiceOptions MethodOptions UninterpretedOption FeatureSet
    SourceCodeInfo GeneratedCodeInfo ExtensionRangeOptions`,
}

const enums: Readonly<Record<string, string>> = {
  struct: 'enum NullValue { NULL_VALUE = 0; }',
  type: 'enum Syntax { SYNTAX_PROTO2 = 0; }',
}

const googleFiles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(google).map(([file, names]) => [
    `google/protobuf/${file}.proto`,
    `syntax = "proto3"; package google.protobuf; ${enums[file] ?? ''} ${names
      .split(/\s+/)
      .map(name => `message ${name} {}`)
      .join(' ')}`,
  ]),
)

const meta = `syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }`

/** With their fields: `@bufbuild/protobuf` does not have these. */
const others: Readonly<Record<string, string>> = {
  'confluent/meta.proto': meta,
  'confluent/type/decimal.proto':
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
  // Where it was before: schemas of Confluent's other clients still import it from there.
  'confluent/types/decimal.proto':
    'syntax = "proto3"; package confluent.type; import public "confluent/type/decimal.proto";',
  'confluent/type/variant.proto':
    'syntax = "proto3"; package confluent.type; message Variant { bytes metadata = 1; bytes value = 2; }',
  'google/type/date.proto':
    'syntax = "proto3"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }',
  'google/type/timeofday.proto':
    'syntax = "proto3"; package google.type; message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }',
  'google/type/money.proto':
    'syntax = "proto3"; package google.type; message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }',
  'google/type/decimal.proto': 'syntax = "proto3"; package google.type; message Decimal { string value = 1; }',
  'google/type/latlng.proto':
    'syntax = "proto3"; package google.type; message LatLng { double latitude = 1; double longitude = 2; }',
  'google/type/interval.proto':
    'syntax = "proto3"; package google.type; import "google/protobuf/timestamp.proto"; message Interval { google.protobuf.Timestamp start_time = 1; google.protobuf.Timestamp end_time = 2; }',
  'google/type/datetime.proto':
    'syntax = "proto3"; package google.type; import "google/protobuf/duration.proto"; message DateTime { int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4; int32 minutes = 5; int32 seconds = 6; int32 nanos = 7; oneof time_offset { google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; } } message TimeZone { string id = 1; string version = 2; }',
  'google/type/dayofweek.proto':
    'syntax = "proto3"; package google.type; enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3; THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7; }',
}

/** Whether a path is one that nobody has to register. */
export function isWellKnown(path: string): boolean {
  return isGoogles(path) || Object.hasOwn(others, path)
}

/** Whether `@bufbuild/protobuf` has it. */
export function isGoogles(path: string): boolean {
  return Object.hasOwn(googleFiles, path)
}

const parsed = new Map<string, ProtoFile>()

/** Undefined for any other path. */
export function wellKnownFile(path: string): ProtoFile | undefined {
  const known = parsed.get(path)
  if (known !== undefined) return known
  const text = Object.hasOwn(googleFiles, path) ? googleFiles[path] : Object.hasOwn(others, path) ? others[path] : null
  if (text === null || text === undefined) return undefined
  const file = parseProto(text)
  parsed.set(path, file)
  return file
}
