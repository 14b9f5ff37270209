/** Messages of all of Protobuf's types, for its own library to write and to read. */
import type { Json } from './avro-cases.ts'

/** What the library is asked for. */
export interface AskedProtobuf {
  readonly name: string
  /** A `.proto` file. */
  readonly schema: string
  /** The message's full name. */
  readonly message: string
  /** In Protobuf's JSON mapping. */
  readonly json?: Json
  /** Bytes to read, hexadecimal, where JSON cannot say what is meant: unknown fields, two of a oneof, unpacked numbers. */
  readonly given?: string
}

const scalars = `syntax = "proto3"; package golden;
message Numbers {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; sint64 s64 = 6;
  fixed32 f32 = 7; fixed64 f64 = 8; sfixed32 sf32 = 9; sfixed64 sf64 = 10;
  float f = 11; double d = 12; bool b = 13; string s = 14; bytes raw = 15; Kind kind = 16;
}
message Lists {
  repeated int32 i32 = 1; repeated int64 i64 = 2; repeated uint32 u32 = 3; repeated uint64 u64 = 4;
  repeated sint32 s32 = 5; repeated sint64 s64 = 6; repeated fixed32 f32 = 7; repeated fixed64 f64 = 8;
  repeated sfixed32 sf32 = 9; repeated sfixed64 sf64 = 10; repeated float f = 11; repeated double d = 12;
  repeated bool b = 13; repeated string s = 14; repeated bytes raw = 15; repeated Kind kind = 16;
  repeated int32 loose = 17 [packed = false]; repeated Numbers numbers = 2047;
}
message Maps {
  map<string, string> texts = 1; map<int32, int64> ints = 2; map<bool, double> flags = 3; map<sint64, Kind> kinds = 4;
  map<fixed32, bytes> raws = 5; map<string, Numbers> numbers = 6; map<uint64, bool> big = 7; map<sfixed32, float> f = 8;
}
message Options {
  optional int32 i = 1; optional string s = 2; optional bool b = 3; optional double d = 4; optional bytes raw = 5;
  optional Kind kind = 6; optional Numbers numbers = 7;
}
message Choice {
  oneof choice { int32 number = 1; string text = 2; Numbers numbers = 3; Kind kind = 4; bool flag = 5; bytes raw = 6; }
  string after = 7;
}
message Outer {
  message Middle {
    message Inner { string name = 1; Outer back = 2; }
    Inner inner = 1; repeated Inner more = 2;
  }
  Middle middle = 1; Outer next = 2; Middle.Inner direct = 536870911;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_FIRST = 1; KIND_FAR = 2147483647; KIND_BELOW = -1; }`

const wellKnown = `syntax = "proto3"; package golden;
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/any.proto";
import "google/protobuf/empty.proto"; import "google/protobuf/field_mask.proto";
message Known {
  google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.StringValue text = 3;
  google.protobuf.Int32Value i32 = 4; google.protobuf.Int64Value i64 = 5; google.protobuf.UInt32Value u32 = 6;
  google.protobuf.UInt64Value u64 = 7; google.protobuf.BoolValue flag = 8; google.protobuf.DoubleValue d = 9;
  google.protobuf.FloatValue f = 10; google.protobuf.BytesValue raw = 11; google.protobuf.Struct fields = 12;
  google.protobuf.Value value = 13; google.protobuf.ListValue list = 14; google.protobuf.Empty empty = 15;
  google.protobuf.FieldMask mask = 16; google.protobuf.Any any = 17; repeated google.protobuf.Timestamp times = 18;
}`

const proto2 = `syntax = "proto2"; package golden.old;
message Old {
  required int32 id = 1; optional string name = 2 [default = "nobody"]; optional double rate = 3 [default = 1.5];
  optional Suit suit = 4 [default = CLUBS]; repeated int32 loose = 5; repeated int32 packed = 6 [packed = true];
  repeated group Line = 7 { required string sku = 1; optional int32 count = 2 [default = 1]; }
  optional group Extra = 8 { optional Old inner = 1; }
  optional bytes raw = 9; optional bool flag = 10 [default = true];
}
enum Suit { SPADES = 1; HEARTS = 2; CLUBS = 3; }`

const values = (schema: string, name: string, message: string, all: readonly Json[]): AskedProtobuf[] =>
  all.map(json => ({ name, schema, message, json }))

const bytes = (schema: string, name: string, message: string, all: readonly string[]): AskedProtobuf[] =>
  all.map(given => ({ name, schema, message, given }))

const numbers = {
  ...{ i32: -2147483648, i64: '-9223372036854775808', u32: 4294967295, u64: '18446744073709551615' },
  ...{ s32: -2147483648, s64: '-9223372036854775808', f32: 4294967295, f64: '18446744073709551615' },
  ...{ sf32: -2147483648, sf64: '-9223372036854775808', f: -1.25, d: -1e300, b: true, s: 'Zoë 注文 🚚' },
  ...{ raw: 'AP+A', kind: 'KIND_FAR' },
}

const extremes = {
  ...{ i32: 2147483647, i64: '9223372036854775807', u32: 1, u64: '9007199254740993', s32: 2147483647 },
  ...{ s64: '9223372036854775807', f32: 1, f64: '1', sf32: 2147483647, sf64: '9223372036854775807', f: 0.5 },
  ...{ d: 5e-324, kind: 'KIND_BELOW' },
}

export function protobufCases(): AskedProtobuf[] {
  return [
    ...values(scalars, 'numbers', 'golden.Numbers', [
      {},
      numbers,
      extremes,
      ...['NaN', 'Infinity', '-Infinity', -0].map(each => ({ f: each, d: each })),
      { d: 1.7976931348623157e308 },
      { kind: 77 },
      { s: 'x'.repeat(200), raw: Buffer.alloc(200, 7).toString('base64') },
    ]),
    ...values(scalars, 'lists', 'golden.Lists', [
      { i32: [0, 1, -1, 300], i64: ['0', '-1', '9007199254740993'], u32: [0, 4294967295], u64: ['0', '1'] },
      { s32: [0, -1, 1, -300], s64: ['-1', '1'], f32: [0, 1], f64: ['1', '0'], sf32: [-1], sf64: ['-1', '0'] },
      { f: [0, 1.5, 'NaN', '-Infinity'], d: [0, -1.5, 'Infinity', 'NaN'], b: [true, false], s: ['', 'a', ''] },
      { raw: ['', 'AQI='], kind: ['KIND_UNSPECIFIED', 'KIND_BELOW', 5], loose: [0, 1, -1], numbers: [{}, numbers] },
      { i32: Array.from({ length: 100 }, (_, i) => i * i) },
    ]),
    ...values(scalars, 'maps', 'golden.Maps', [
      { texts: { '': '', a: 'x', b: '' }, ints: { 0: '0', 1: '-1', 7: '9007199254740993' } },
      { flags: { false: 0, true: 1.5 }, kinds: { '-5': 'KIND_FIRST', 0: 'KIND_UNSPECIFIED', 9: 9 } },
      { raws: { 0: '', 4: 'AQI=' }, numbers: { a: {}, b: numbers }, big: { 0: true, 9: false }, f: { '-1': 0.5 } },
    ]),
    ...values(scalars, 'optional', 'golden.Options', [
      {},
      { i: 0, s: '', b: false, d: 0, raw: '', kind: 'KIND_UNSPECIFIED', numbers: {} },
      { i: 1, s: 'a', b: true, d: 1.5, raw: 'AQ==', kind: 'KIND_FIRST', numbers },
    ]),
    ...values(scalars, 'oneof', 'golden.Choice', [
      ...[{}, { number: 0 }, { number: -1 }, { text: '' }, { text: 'a', after: 'b' }, { numbers: {} }, { numbers }],
      ...[{ kind: 'KIND_UNSPECIFIED' }, { flag: false }, { raw: '' }],
    ]),
    ...values(scalars, 'nested', 'golden.Outer', [
      { middle: { inner: { name: 'a', back: { next: { next: {} } } }, more: [{}, { name: 'b' }] } },
      { next: { next: { next: { middle: {} } } }, direct: { name: 'far' } },
    ]),
    ...values(scalars, 'indexes', 'golden.Outer.Middle.Inner', [{ name: 'deep' }, {}]),
    ...values(scalars, 'indexes', 'golden.Outer.Middle', [{ inner: { name: 'deep' } }]),
    ...values(wellKnown, 'well known', 'golden.Known', [
      { at: '2026-11-30T12:00:00Z', took: '0s' },
      { at: '2026-11-30T12:00:00.123Z', took: '1.500s' },
      { at: '0001-01-01T00:00:00Z', took: '-315576000000s' },
      { at: '9999-12-31T23:59:59.999999999Z', took: '-1.000000001s' },
      { text: '', i32: 0, i64: '0', u32: 0, u64: '0', flag: false, d: 0, f: 0, raw: '' },
      { text: 'a', i32: -1, i64: '-1', u32: 1, u64: '1', flag: true, d: 'NaN', f: '-Infinity', raw: 'AQ==' },
      { fields: { a: 1.5, b: 'x', c: true, d: null, e: [1, [], {}], f: { g: { h: null } } } },
      { value: null },
      { value: [1, 'a', null] },
      { list: [], empty: {} },
      { list: [null, {}], mask: 'a,bC.d' },
      { any: { '@type': 'type.googleapis.com/golden.Known', text: 'inside' } },
      { any: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '3s' } },
      { times: ['1970-01-01T00:00:00Z', '2026-11-30T12:00:00.000001Z'] },
    ]),
    ...values(proto2, 'proto2', 'golden.old.Old', [
      { id: 0 },
      { id: 1, name: 'nobody', rate: 1.5, suit: 'CLUBS', flag: true },
      { id: -1, name: '', rate: 0, suit: 'SPADES', loose: [1, -1, 0], packed: [1, -1, 0], raw: '', flag: false },
    ]),
    // Groups: two lines, one of them with what it has by default, and an extra with a message inside.
    ...bytes(proto2, 'groups', 'golden.old.Old', [['0807', '3b0a016110033c', '3b0a01623c', '430a02080144'].join('')]),
    ...bytes(scalars, 'unknown fields', 'golden.Outer', [
      ['5005', '5a0161', '61000000000000f03f', '6d0000803f', '7b08017c', 'f0ffffff0f01'].join(''),
    ]),
    ...bytes(scalars, 'two of a oneof', 'golden.Choice', ['08051201613a0162', '1a0208011a021002']),
    ...bytes(scalars, 'packed and not', 'golden.Lists', ['080108020a0203048a01020506', '5d0000803f5a0400000040']),
    ...bytes(scalars, 'the last one counts', 'golden.Numbers', ['080108027200720161']),
    ...bytes(scalars, 'entries without key or value', 'golden.Maps', ['0a000a030a0161', '12021005']),
  ]
}
