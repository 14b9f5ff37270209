import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protoDifferences } from '../../src/protobuf/compatibility.ts'
import { withImports } from '../../src/protobuf/files.ts'
import { normalizedProto } from '../../src/protobuf/normalize.ts'
import { parseProto } from '../../src/protobuf/parse.ts'
import { printProto } from '../../src/protobuf/print.ts'

interface Imported {
  readonly text: string
  readonly origin: string
}

function schemaOf(text: string, imported: Record<string, Imported> = {}) {
  const texts = Object.entries(imported).map(([name, { text: schema }]) => ({ name, schema }))
  const [own, ...others] = [...withImports('own.proto', `syntax = "proto3"; ${text}`, texts)]
  return {
    file: own![1],
    imported: others.map(([path, file]) => ({ file, origin: imported[path]?.origin ?? null })),
  }
}

/** What keeps messages of one schema from being read with the other. */
function differences(before: string, after: string): string[] {
  return protoDifferences(schemaOf(before), schemaOf(after)).map(({ type, path }) => `${type} ${path}`)
}

const message = (...fields: string[]): string => `message M { ${fields.join(' ')} }`

test('fields come, go and change their names', () => {
  assert.deepEqual(differences(message('string a = 1;'), message('string b = 1; int32 c = 2;')), [])
  assert.deepEqual(differences(message('string a = 1;'), message()), [])
  assert.deepEqual(differences(message('string a = 1;'), `message N { } ${message('bytes a = 1;')}`), [])
  assert.deepEqual(differences(`message N { } ${message()}`, message()), ['MESSAGE_REMOVED #/N'])
  assert.deepEqual(differences(`package a; ${message()}`, `package b; ${message()}`), ['PACKAGE_CHANGED #/'])
})

test('types may change to those with the same bytes', () => {
  const change = (before: string, after: string): string[] =>
    differences(`enum E { A = 0; } ${message(`${before} a = 1;`)}`, `enum E { A = 0; } ${message(`${after} a = 1;`)}`)
  for (const [before, after] of [
    ['int32', 'uint64'],
    ['bool', 'E'],
    ['sint32', 'sint64'],
    ['fixed32', 'sfixed32'],
    ['string', 'bytes'],
    ['repeated string', 'optional string'],
    ['int32', 'repeated int32'],
    ['map<string, int32>', 'map<string, bool>'],
  ] as const) {
    assert.deepEqual(change(before, after), [], `${before} ${after}`)
  }
  assert.deepEqual(change('int32', 'sint32'), ['FIELD_SCALAR_KIND_CHANGED #/M/1'])
  assert.deepEqual(change('int32', 'M'), ['FIELD_KIND_CHANGED #/M/1'])
  assert.deepEqual(change('string', 'map<string, string>'), ['FIELD_KIND_CHANGED #/M/1'])
  assert.deepEqual(change('map<string, int32>', 'map<string, float>'), ['FIELD_SCALAR_KIND_CHANGED #/M/1'])
  assert.deepEqual(change('repeated int32', 'optional int32'), ['FIELD_NUMERIC_LABEL_CHANGED #/M/1'])
})

test('oneofs may grow, and must not take in what was independent', () => {
  const one = 'oneof o { string a = 1; int32 b = 2; }'
  assert.deepEqual(differences(message(one), message('oneof o { string a = 1; int32 b = 2; bool c = 3; }')), [])
  assert.deepEqual(differences(message(one), message('oneof o { string a = 1; }')), ['ONEOF_FIELD_REMOVED #/M/o/2'])
  assert.deepEqual(differences(message(one), message()), [])
  assert.deepEqual(differences(message(one), message('string a = 1; int32 b = 2;')), [])
  assert.deepEqual(differences(message('string a = 1;'), message(one)), [])
  assert.deepEqual(differences(message('string a = 1; int32 b = 2;'), message(one)), [
    'MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o',
  ])
  assert.deepEqual(differences(message('oneof o { string a = 1; } int32 b = 2;'), message(one)), [
    'FIELD_MOVED_TO_EXISTING_ONEOF #/M/o',
  ])
})

test('required fields of proto2 stay', () => {
  const [with2, without] = ['message M { required string a = 1; }', 'message M { }'].map(text => ({
    file: parseProto(text),
    imported: [],
  }))
  assert.deepEqual(protoDifferences(with2!, without!), [{ type: 'REQUIRED_FIELD_REMOVED', path: '#/M/1' }])
  assert.deepEqual(protoDifferences(without!, with2!), [{ type: 'REQUIRED_FIELD_ADDED', path: '#/M/1' }])
})

test('messages of other files are compared where they are of other versions', () => {
  const own = 'import "p.proto"; message M { p.P p = 1; }'
  const part = (type: string, origin: string): Record<string, Imported> => ({
    'p.proto': { text: `package p; message P { optional ${type} x = 1; }`, origin },
  })
  const compare = (before: Record<string, Imported>, after: Record<string, Imported>): unknown =>
    protoDifferences(schemaOf(own, before), schemaOf(own, after)).map(({ type, path }) => `${type} ${path}`)
  assert.deepEqual(compare(part('int32', 'p 1'), part('int64', 'p 2')), [])
  assert.deepEqual(compare(part('int32', 'p 1'), part('float', 'p 2')), [
    'FIELD_SCALAR_KIND_CHANGED #/P/1',
    'FIELD_NAMED_TYPE_CHANGED #/M/1',
  ])
  const [stamp, span] = ['Timestamp t', 'Duration t'].map(
    field =>
      `import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; message M { google.protobuf.${field} = 1; }`,
  )
  assert.deepEqual(differences(stamp!, stamp!), [])
  assert.deepEqual(differences(stamp!, span!), ['FIELD_NAMED_TYPE_CHANGED #/M/1'])
})

test('messages that have themselves as fields end', () => {
  const list = (type: string): string => `message M { M next = 1; ${type} x = 2; N n = 3; } message N { M m = 1; }`
  assert.deepEqual(differences(list('int32'), list('int64')), [])
  assert.deepEqual(differences(list('int32'), list('float')), ['FIELD_SCALAR_KIND_CHANGED #/M/2'])
})

test('files that differ in form only are one when they are normalized', () => {
  const [one, other] = [
    'syntax = "proto3"; package a; option b = 1; option a = 2; message M { N n = 2; string s = 1 [y = 1, x = 2]; message N {} } enum E { A = 0; B = 1; }',
    'syntax = "proto3"; package a; enum E { A = 0; B = 1; } option a = 2; option b = 1; message M { message N { } string s = 1 [x = 2, y = 1]; .a.M.N n = 2; }',
  ].map(text => printProto(normalizedProto(parseProto(text))))
  assert.equal(one, other)
})
