/** Messages of Protobuf, each in a file of its own, with what Protobuf's JSON mapping makes of them. */

export interface SharedMessage {
  readonly name: string
  /** The path of its file; its package has the same name. */
  readonly path: string
  readonly text: string
  /** By default `M`; without the package. */
  readonly message?: string
  readonly value: unknown
  /** Whether other bytes are right, too: maps have no order. */
  readonly hasManyForms?: boolean
}

function file(path: string, text: string, imports: readonly string[] = []): { path: string; text: string } {
  const lines = imports.map(each => `import "${each}";`)
  return {
    path: `${path}.proto`,
    text: `syntax = "proto3";\npackage ${path};\n${lines.join('\n')}\n${text}\n`,
  }
}

/** As Confluent's packages have it: protoc does not. */
export const decimalFile = {
  'confluent/type/decimal.proto':
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
}

export const messages: readonly SharedMessage[] = [
  {
    name: 'nested messages',
    ...file(
      'nested',
      `message M {
        int64 id = 1;
        Customer customer = 2;
        repeated Customer.Address more = 3;
        message Customer {
          string name = 1;
          bool vip = 2;
          Address address = 3;
          message Address { string city = 1; repeated string lines = 2; }
        }
      }`,
    ),
    value: {
      id: '9007199254740993',
      customer: { name: 'Zoë 漢字 😀', vip: true, address: { city: 'Umeå', lines: ['Storgatan 12', ''] } },
      more: [{}, { city: 'x' }],
    },
  },
  {
    name: 'numbers of all kinds at their limits',
    ...file(
      'numbers',
      `message M {
        repeated int32 int32 = 1; repeated int64 int64 = 2; repeated uint32 uint32 = 3; repeated uint64 uint64 = 4;
        repeated sint32 sint32 = 5; repeated sint64 sint64 = 6; repeated fixed32 fixed32 = 7;
        repeated fixed64 fixed64 = 8; repeated sfixed32 sfixed32 = 9; repeated sfixed64 sfixed64 = 10;
        repeated float float = 11; repeated double double = 12; repeated bool bool = 13;
        repeated int32 unpacked = 14 [packed = false];
      }`,
    ),
    value: {
      int32: [0, -1, 2_147_483_647, -2_147_483_648],
      int64: ['9223372036854775807', '-9223372036854775808'],
      uint32: [4_294_967_295],
      uint64: ['18446744073709551615'],
      sint32: [-2_147_483_648, 1],
      sint64: ['-9223372036854775808'],
      fixed32: [4_294_967_295],
      fixed64: ['18446744073709551615'],
      sfixed32: [-1],
      sfixed64: ['-1'],
      float: [0.5, -1.25, 16_777_216],
      double: [0.1, -1.5e-7, 'Infinity', 'NaN'],
      bool: [true, false],
      unpacked: [1, 2, 300],
    },
  },
  {
    name: 'text, bytes and enums',
    ...file(
      'enums',
      `message M {
        bytes hash = 1; repeated Suit suits = 2; Suit suit = 3; Colour colour = 4; string text = 5;
        enum Suit { SPADES = 0; HEARTS = 1; JOKER = -1; }
      }
      enum Colour { RED = 0; BLUE = 7; }`,
    ),
    value: { hash: 'AP+A', suits: ['HEARTS', 'SPADES', 'JOKER'], suit: 'HEARTS', colour: 'BLUE', text: '漢字' },
  },
  {
    name: 'oneofs (unions)',
    ...file(
      'oneofs',
      `message M {
        repeated Payment all = 1;
        message Payment {
          oneof by { string card = 1; Invoice invoice = 2; int32 cents = 3; }
          oneof when { bool now = 7; int32 days = 8; }
        }
        message Invoice { int32 days = 1; }
      }`,
    ),
    value: {
      all: [{ card: '' }, { invoice: { days: 30 }, now: false }, { cents: 0, days: 3 }, {}],
    },
  },
  {
    name: 'fields that know whether they are set',
    ...file('presence', 'message M { optional int32 zero = 1; optional string text = 2; int32 plain = 3; M m = 4; }'),
    value: { zero: 0, text: '', m: {} },
  },
  {
    name: 'maps',
    ...file(
      'maps',
      `message M {
        map<string, int64> counts = 1; map<int32, Value> values = 2; map<bool, bytes> flags = 3;
        message Value { string text = 1; map<string, string> more = 2; }
      }`,
    ),
    value: {
      counts: { a: '1', ü: '-2' },
      values: { 1: { text: 'x', more: { y: 'z' } }, '-5': {} },
      flags: { true: 'AA==' },
    },
    hasManyForms: true,
  },
  {
    name: 'decimals',
    ...file('decimals', 'message M { confluent.type.Decimal total = 1; }', ['confluent/type/decimal.proto']),
    value: { total: { value: '/tk=', precision: 9, scale: 2 } },
  },
  {
    name: 'times and other types of Google',
    ...file(
      'times',
      `message M {
        google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.StringValue maybe = 3;
        google.protobuf.Struct more = 4; google.protobuf.FieldMask mask = 5; repeated google.protobuf.Timestamp all = 6;
      }`,
      ['timestamp', 'duration', 'wrappers', 'struct', 'field_mask'].map(name => `google/protobuf/${name}.proto`),
    ),
    value: {
      at: '2026-11-30T12:00:00.123456789Z',
      took: '-1.500s',
      maybe: '',
      more: { a: [1, 'x', null, { b: true }] },
      mask: 'a,bC',
      all: ['1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00Z'],
    },
    hasManyForms: true,
  },
  {
    name: 'what holds itself',
    ...file('itself', 'message M { int32 value = 1; M next = 2; }'),
    value: { value: 1, next: { value: 2 } },
  },
  {
    name: 'a message behind others in its file',
    ...file('second', 'message First { string a = 1; } message M { string b = 1; }'),
    value: { b: 'x' },
  },
  {
    name: 'a message inside of another',
    ...file(
      'inside',
      'message First { } message Outer { message Other { } message Inner { message M { string b = 1; } } }',
    ),
    message: 'Outer.Inner.M',
    value: { b: 'x' },
  },
  {
    name: 'options, reserved fields and services',
    ...file(
      'options',
      `option java_package = "com.example"; option java_multiple_files = true;
      message M {
        reserved 2 to 4, 9; reserved "lost";
        string a = 1 [deprecated = true, json_name = "ay"];
        map<string, int32> b = 5 [deprecated = true];
        oneof o { string c = 6 [deprecated = true]; }
        option deprecated = true;
      }
      enum E { option allow_alias = true; A = 0; B = 0; reserved 5; }
      service S { rpc Get(M) returns (stream M) { option deprecated = true; } }`,
    ),
    value: { ay: 'x', b: { k: 1 }, c: '' },
  },
]

/** Versions of one file. */
export const versions = {
  old: file('evolving', 'message M { int32 a = 1; oneof o { string c = 3; } }'),
  newer: file('evolving', 'message M { int32 a = 1; string b = 2; oneof o { string c = 3; int32 d = 4; } }'),
}

/** By path. */
export const importedTexts = {
  'bank/name.proto': 'syntax = "proto3"; package bank; message Name { string first = 1; string last = 2; }',
  'called.proto': 'syntax = "proto3"; import "bank/name.proto"; message Called { bank.Name name = 1; }',
  'bank/currency.proto': 'syntax = "proto3"; package bank; enum Currency { EUR = 0; SEK = 1; }',
  'bank/money.proto':
    'syntax = "proto3"; package bank; import "bank/currency.proto"; message Money { int64 cents = 1; Currency in = 2; }',
  'priced.proto':
    'syntax = "proto3"; import "bank/money.proto"; message Priced { bank.Money price = 1; repeated bank.Money all = 2; }',
} as const

/** Messages whose files import others: those in the order of their imports, and a value. */
export const importing = {
  Called: { path: ['bank/name.proto', 'called.proto'], value: { name: { first: 'Zoë' } } },
  Priced: {
    path: ['bank/currency.proto', 'bank/money.proto', 'priced.proto'],
    value: { price: { cents: '1250', in: 'SEK' }, all: [{}, { cents: '-1' }] },
  },
} as const
