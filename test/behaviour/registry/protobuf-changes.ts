/** Changes of Protobuf schemas, and whether data of one can always be read with the other. */
import type { CompatibilityLevel } from '@ottla/schema-registry'
import type { Change } from './avro-changes.ts'

const proto = (text: string): string => `syntax = "proto3";\n${text}`
const message = (...fields: string[]): string => proto(`message M { ${fields.join(' ')} }`)
/** A field of the number 1 with this type. */
const field = (type: string): string =>
  proto(`message M { ${type} x = 1; message N { int32 y = 1; } enum E { ZERO = 0; } }`)

const both = { backward: true, forward: true }
const neither = { backward: false, forward: false }
const backward = { backward: true, forward: false }
const forward = { backward: false, forward: true }

function retyped(before: string, after: string, expected: typeof both): Change {
  return { name: `${before} becomes ${after}`, old: field(before), fresh: field(after), ...expected }
}

const oneof = 'oneof o { string a = 1; int32 b = 2; }'

const all: readonly Change[] = [
  { name: 'nothing', old: message('int32 x = 1;'), fresh: message('int32 x = 1;'), ...both },
  { name: 'a field more', old: message('int32 x = 1;'), fresh: message('int32 x = 1;', 'string y = 2;'), ...both },
  { name: 'a field less', old: message('int32 x = 1;', 'string y = 2;'), fresh: message('int32 x = 1;'), ...both },
  { name: 'a field with another name', old: message('int32 x = 1;'), fresh: message('int32 y = 1;'), ...both },
  { name: 'a field with another number', old: message('int32 x = 1;'), fresh: message('int32 x = 2;'), ...both },
  retyped('int32', 'int64', both),
  retyped('int32', 'bool', both),
  retyped('int32', 'E', both),
  retyped('sint32', 'sint64', both),
  retyped('fixed32', 'sfixed32', both),
  retyped('string', 'bytes', both),
  retyped('int32', 'sint32', neither),
  retyped('int32', 'string', neither),
  retyped('int32', 'fixed32', neither),
  retyped('float', 'double', neither),
  retyped('int32', 'N', neither),
  retyped('string', 'repeated string', both),
  retyped('int32', 'repeated int32', both),
  retyped('string', 'map<string, string>', neither),
  retyped('map<string, int32>', 'map<string, string>', neither),
  { name: 'a message more', old: message(), fresh: proto('message M { } message N { }'), ...backward },
  { name: 'a message less', old: proto('message M { } message N { }'), fresh: message(), ...forward },
  {
    name: 'another package',
    old: proto('package a; message M { }'),
    fresh: proto('package b; message M { }'),
    ...neither,
  },
  {
    name: 'a oneof with a field more',
    old: message(oneof),
    fresh: message('oneof o { string a = 1; int32 b = 2; bool c = 3; }'),
    ...backward,
  },
  { name: 'a oneof with a field less', old: message(oneof), fresh: message('oneof o { string a = 1; }'), ...forward },
  {
    name: 'a field that moves into a oneof of its own',
    old: message('string a = 1;'),
    fresh: message('oneof o { string a = 1; }'),
    ...both,
  },
  {
    name: 'two fields that move into a oneof',
    old: message('string a = 1; int32 b = 2;'),
    fresh: message(oneof),
    ...forward,
  },
  {
    name: 'a field that moves into a oneof that was there',
    old: message('oneof o { string a = 1; } int32 b = 2;'),
    fresh: message(oneof),
    ...forward,
  },
  {
    name: 'another enum value',
    old: proto('message M { E e = 1; } enum E { A = 0; }'),
    fresh: proto('message M { E e = 1; } enum E { A = 0; B = 1; }'),
    ...both,
  },
  {
    name: 'a field of a nested message with another type',
    old: proto('message M { N n = 1; message N { int32 x = 1; } }'),
    fresh: proto('message M { N n = 1; message N { string x = 1; } }'),
    ...neither,
  },
]

/**
 * What Apicurio's registry decides otherwise: a field keeps its name, number and type, packages, messages and oneofs are not
 * looked at, and FULL forbids less than FORWARD.
 */
const apicurio: Readonly<Record<string, readonly CompatibilityLevel[]>> = {
  'a field more': ['BACKWARD', 'FULL'],
  'a field less': ['FORWARD', 'FULL'],
  'a field with another name': [],
  'a field with another number': [],
  'int32 becomes int64': [],
  'int32 becomes bool': [],
  'int32 becomes E': [],
  'sint32 becomes sint64': [],
  'fixed32 becomes sfixed32': [],
  'string becomes bytes': [],
  'string becomes repeated string': [],
  'int32 becomes repeated int32': [],
  'a message more': ['BACKWARD', 'FORWARD', 'FULL'],
  'a message less': ['BACKWARD', 'FORWARD', 'FULL'],
  'another package': ['BACKWARD', 'FORWARD', 'FULL'],
  'a oneof with a field more': ['BACKWARD', 'FULL'],
  'a oneof with a field less': ['FORWARD', 'FULL'],
  'two fields that move into a oneof': ['BACKWARD', 'FORWARD', 'FULL'],
  'a field that moves into a oneof that was there': ['BACKWARD', 'FORWARD', 'FULL'],
  'another enum value': ['BACKWARD', 'FULL'],
}

export const protobufChanges: readonly Change[] = all.map(change => {
  const allowed = apicurio[change.name]
  return allowed === undefined ? change : { ...change, apicurio: allowed }
})
