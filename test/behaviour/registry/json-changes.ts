/** Changes of JSON schemas, and whether data of one can always be read with the other. */
import type { Change } from './avro-changes.ts'

const text = { type: 'string' }
const int = { type: 'integer' }
const number = { type: 'number' }
const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })
const closed = (properties: object, ...required: string[]): object =>
  object(properties, { additionalProperties: false, ...(required.length === 0 ? {} : { required }) })

const both = { backward: true, forward: true }
const neither = { backward: false, forward: false }
const backward = { backward: true, forward: false }
const forward = { backward: false, forward: true }

const all: readonly Change[] = [
  { name: 'nothing', old: object({ a: text }), fresh: object({ a: text }), ...both },
  {
    name: 'a property more, where all are known',
    old: closed({ a: text }),
    fresh: closed({ a: text, b: int }),
    ...backward,
  },
  { name: 'a required property more', old: closed({ a: text }), fresh: closed({ a: text, b: int }, 'b'), ...neither },
  {
    name: 'a required property more, with a default',
    old: closed({ a: text }),
    fresh: closed({ a: text, b: { ...int, default: 0 } }, 'b'),
    ...backward,
    apicurio: [],
  },
  {
    name: 'a property less, where all are known',
    old: closed({ a: text, b: int }),
    fresh: closed({ a: text }),
    ...forward,
  },
  {
    name: 'a property more, where others are allowed',
    old: object({ a: text }),
    fresh: object({ a: text, b: int }),
    ...forward,
  },
  {
    name: 'a property less, where others are allowed',
    old: object({ a: text, b: int }),
    fresh: object({ a: text }),
    ...backward,
  },
  { name: 'others are allowed from now on', old: closed({ a: text }), fresh: object({ a: text }), ...backward },
  {
    name: 'a property that was optional becomes required',
    old: closed({ a: text }),
    fresh: closed({ a: text }, 'a'),
    ...forward,
  },
  { name: 'an integer becomes a number', old: closed({ a: int }), fresh: closed({ a: number }), ...backward },
  { name: 'text becomes a number', old: closed({ a: text }), fresh: closed({ a: number }), ...neither },
  { name: 'text becomes anything', old: closed({ a: text }), fresh: closed({ a: {} }), ...backward },
  {
    name: 'text may be null',
    old: closed({ a: text }),
    fresh: closed({ a: { type: ['string', 'null'] } }),
    ...backward,
  },
  { name: 'a higher maximum', old: { ...number, maximum: 5 }, fresh: { ...number, maximum: 6 }, ...backward },
  { name: 'a minimum', old: number, fresh: { ...number, minimum: 0 }, ...forward },
  { name: 'a longer text', old: { ...text, maxLength: 5 }, fresh: { ...text, maxLength: 6 }, ...backward },
  { name: 'a pattern', old: text, fresh: { ...text, pattern: 'a' }, ...forward },
  { name: 'a value more of an enum', old: { enum: ['a'] }, fresh: { enum: ['a', 'b'] }, ...backward },
  { name: 'another constant', old: { const: 1 }, fresh: { const: 2 }, ...neither },
  {
    name: 'one type more (oneOf)',
    old: { oneOf: [int, text] },
    fresh: { oneOf: [int, text, { type: 'null' }] },
    ...backward,
  },
  {
    name: 'one type more (anyOf)',
    old: { anyOf: [int, text] },
    fresh: { anyOf: [int, text, { type: 'null' }] },
    ...backward,
  },
  {
    name: 'one more that must hold (allOf)',
    old: { allOf: [int] },
    fresh: { allOf: [int, { minimum: 1 }] },
    ...forward,
  },
  {
    name: 'items of another type',
    old: { type: 'array', items: int },
    fresh: { type: 'array', items: text },
    ...neither,
  },
  {
    name: 'items have to be unique',
    old: { type: 'array', items: int },
    fresh: { type: 'array', items: int, uniqueItems: true },
    ...forward,
  },
  {
    name: 'another title and description',
    old: { ...text, title: 'a' },
    fresh: { ...text, title: 'b', description: 'c' },
    ...both,
  },
]

/** Apicurio's registry takes what says so for a JSON schema, and nothing else that has no properties. */
const withDraft = (schema: unknown): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...(schema as object),
})

export const jsonChanges: readonly Change[] = all.map(change => ({
  ...change,
  old: withDraft(change.old),
  fresh: withDraft(change.fresh),
}))
