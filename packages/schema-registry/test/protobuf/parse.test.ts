import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFileSync } from 'node:fs'
import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { descriptorsOf, readProto, withImports } from '../../src/protobuf/files.ts'
import { placedMessages } from '../../src/protobuf/names.ts'
import { parseProto } from '../../src/protobuf/parse.ts'
import { printProto } from '../../src/protobuf/print.ts'
import type { ProtoType } from '../../src/protobuf/types.ts'
import { readDescriptor } from '../../src/protobuf/read-descriptor.ts'
import { file_shop_common } from './shop/common_pb.ts'
import { file_shop_order } from './shop/order_pb.ts'

const textOf = (name: string): string => readFileSync(new URL(`shop/${name}.proto`, import.meta.url), 'utf8')

const everything = `edition = "2023"; // a comment
package a.b;
import public "google/protobuf/any.proto"; import weak "google/protobuf/descriptor.proto";
option java_package = "a" 'b\\x41\\n"';
option features.field_presence = IMPLICIT;
option (my.option).part = { list: [1, -2.5, inf] inner < name: "x" > [a.b/c]: true };
/* message Gone {} */
message M {
  option deprecated = true;
  .a.b.M self = 1 [deprecated = true, json_name = "me"];
  map<string, a.b.M> by_name = 0x10;
  repeated int32 message = 017 [features.repeated_field_encoding = EXPANDED];
  oneof one { option (x) = 1; string a = 5; M b = 6; };
  extensions 100 to 199, 500 to max [verification = UNVERIFIED];
  reserved 7, 9 to 11; reserved gone, lost;
  enum E { option allow_alias = true; A = 0; B = -1 [deprecated = true]; C = 0; reserved -5 to -3; }
  extend M { string inner = 100; }
}
extend google.protobuf.FieldOptions { string mine = 50001; }
service S { option deprecated = true; rpc Get(M) returns (stream a.b.M); rpc Put(stream M) returns (M) { option idempotency_level = IDEMPOTENT; } }
`

test('all that a .proto file may say is read, and written so that it reads the same', () => {
  const file = parseProto(everything)
  const printed = printProto(file)
  // Messages come before enums, fields before oneofs: descriptors know no other order.
  const sorted = (types: readonly ProtoType[]): unknown =>
    types.map(type =>
      type.kind === 'enum'
        ? type
        : { ...type, fields: [...type.fields].sort((a, b) => a.number - b.number), types: sorted(type.types) },
    )
  assert.deepEqual(
    { ...parseProto(printed), types: sorted(parseProto(printed).types) },
    { ...file, types: sorted(file.types) },
  )
  assert.equal(printProto(parseProto(printed)), printed)
  assert.match(printed, /option java_package = "abA\\n\\"";/)
  assert.match(printed, /map<string, a\.b\.M> by_name = 16;/)
  assert.match(printed, /repeated int32 message = 15 \[/)
  assert.match(printed, /extensions 500 to max;/)
})

test('groups of proto2 keep their messages', () => {
  const text = 'message M {\n  optional group Part = 1 {\n    required string a = 2 [default = "x"];\n  }\n}\n'
  const printed = printProto(parseProto(text))
  assert.equal(printed, `syntax = "proto2";\n\n${text}`)
  const [bytes] = descriptorsOf(withImports('m.proto', text, [])).values()
  assert.equal(printProto(readDescriptor(bytes!).file), printed)
})

test('a descriptor that protoc has written says what the text says', () => {
  for (const [desc, name] of [
    [file_shop_common, 'common'],
    [file_shop_order, 'order'],
  ] as const) {
    const theirs = readDescriptor(Buffer.from(toBinary(FileDescriptorProtoSchema, desc.proto)))
    assert.equal(theirs.path, `shop/${name}.proto`)
    assert.equal(printProto(theirs.file), printProto(parseProto(textOf(name))))
  }
})

test('a descriptor that is written reads the same', () => {
  const files = withImports('shop/order.proto', textOf('order'), [
    { name: 'shop/common.proto', schema: textOf('common') },
  ])
  const descriptors = descriptorsOf(files)
  assert.deepEqual(
    [...descriptors.keys()],
    ['shop/order.proto', 'google/protobuf/timestamp.proto', 'shop/common.proto'],
  )
  const bytes = descriptors.get('shop/order.proto')!
  assert.equal(printProto(readDescriptor(bytes).file), printProto(parseProto(textOf('order'))))
  assert.equal(printProto(readProto(bytes.toString('base64'))), printProto(parseProto(textOf('order'))))
})

test('messages are counted without enums and the entries of maps', () => {
  const { types } = parseProto(textOf('order'))
  assert.deepEqual(
    [...placedMessages(types, 'shop')].map(({ name, indexes }) => [name, indexes]),
    [
      ['shop.Customer', [0]],
      ['shop.Customer.Address', [0, 0]],
      ['shop.Order', [1]],
      ['shop.Order.Item', [1, 0]],
    ],
  )
})

test('what is no .proto file is refused with its place', () => {
  for (const [text, message] of [
    ['message M {\n  string = 1;\n}', /^the name of a field expected, not '=' \(line 2, column 10\)$/],
    ['message M { string a = 0; }', /^0 is no number of a field/],
    ['syntax = "proto4";', /^'proto4' is no syntax/],
    ['message M {', /^it ends where the type of a field is missing/],
    ['enum E {}', /^the enum E has no values/],
    ['message M { string a = "x; }', /^'"' is not expected/],
    ['import "a.proto"', /^it ends where ';' is missing/],
    ['{"type": "record"}', /'message', 'enum'/],
  ] as const) {
    assert.throws(() => parseProto(text), { code: 'INVALID_SCHEMA', message }, text)
  }
  assert.throws(() => withImports('a', 'import "no/such.proto";', []), {
    message: 'a imports no/such.proto, which its references do not have',
  })
  assert.throws(() => descriptorsOf(withImports('a', 'message M { optional N n = 1; }', [])), {
    message: 'the type N of M.n is not known',
  })
})
