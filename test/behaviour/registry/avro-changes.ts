/** Changes of Avro schemas, and whether data of one can always be read with the other. */
import type { CompatibilityLevel } from '@ottla/schema-registry'

export interface Change {
  readonly name: string
  readonly old: unknown
  readonly fresh: unknown
  /** Whether the fresh schema reads what the old one has written. */
  readonly backward: boolean
  /** Whether the old schema reads what the fresh one has written. */
  readonly forward: boolean
  /** The levels at which Apicurio's registry allows it beside NONE, where it has rules of its own. */
  readonly apicurio?: readonly CompatibilityLevel[]
}

/** A record with one field, or with those given. */
function holding(type: unknown, more: object = {}, ...others: object[]): object {
  return { type: 'record', name: 'R', fields: [{ name: 'x', type }, ...others], ...more }
}

const record = (name: string, ...fields: object[]): object => ({ type: 'record', name, fields })
const symbols = (list: string[], more: object = {}): object => ({ type: 'enum', name: 'E', symbols: list, ...more })
const fixed = (size: number, more: object = {}): object => ({ type: 'fixed', name: 'F', size, ...more })
const field = (name: string, type: unknown = 'int'): object => ({ name, type })
const optional = (name: string): object => ({ name, type: 'int', default: 0 })

const both = { backward: true, forward: true }
const neither = { backward: false, forward: false }
const backward = { backward: true, forward: false }
const forward = { backward: false, forward: true }

const list = (...lines: string[]): object =>
  record('Node', { name: 'next', type: ['null', 'Node'], default: null }, ...lines.map(line => optional(line)))

export const changes: readonly Change[] = [
  { name: 'nothing', old: holding('int'), fresh: holding('int'), ...both },
  { name: 'a field more, with a default', old: holding('int'), fresh: holding('int', {}, optional('y')), ...both },
  { name: 'a field more, without one', old: holding('int'), fresh: holding('int', {}, field('y')), ...forward },
  { name: 'a field less, with a default', old: holding('int', {}, optional('y')), fresh: holding('int'), ...both },
  { name: 'a field less, without one', old: holding('int', {}, field('y')), fresh: holding('int'), ...backward },
  {
    name: 'fields in another order',
    old: record('R', field('x'), field('y', 'string')),
    fresh: record('R', field('y', 'string'), field('x')),
    ...both,
  },
  {
    name: 'a field with another name',
    old: record('R', field('x')),
    fresh: record('R', field('y')),
    ...neither,
  },
  {
    name: 'a field with another name, and its old one as an alias',
    old: record('R', field('x')),
    fresh: record('R', { name: 'y', type: 'int', aliases: ['x'] }),
    ...backward,
  },
  {
    name: 'another default',
    old: record('R', { name: 'x', type: 'int', default: 1 }),
    fresh: record('R', { name: 'x', type: 'int', default: 2 }),
    ...both,
  },
  { name: 'documentation', old: holding('int'), fresh: holding('int', { doc: 'what it is' }), ...both },
  { name: 'another name', old: record('R', field('x')), fresh: record('Q', field('x')), ...neither },
  {
    name: 'another name, and the old one as an alias',
    old: record('R', field('x')),
    fresh: { ...record('Q', field('x')), aliases: ['R'] },
    ...backward,
  },
  {
    name: 'another namespace',
    old: { ...record('R', field('x')), namespace: 'a' },
    fresh: { ...record('R', field('x')), namespace: 'b' },
    ...both,
  },
  { name: 'int to long', old: holding('int'), fresh: holding('long'), ...backward },
  { name: 'int to double', old: holding('int'), fresh: holding('double'), ...backward },
  { name: 'long to float', old: holding('long'), fresh: holding('float'), ...backward },
  { name: 'float to double', old: holding('float'), fresh: holding('double'), ...backward },
  { name: 'long to int', old: holding('long'), fresh: holding('int'), ...forward },
  { name: 'string to bytes', old: holding('string'), fresh: holding('bytes'), ...both },
  { name: 'int to string', old: holding('int'), fresh: holding('string'), ...neither },
  { name: 'boolean to int', old: holding('boolean'), fresh: holding('int'), ...neither },
  { name: 'a union around a type', old: holding('string'), fresh: holding(['null', 'string']), ...backward },
  { name: 'no union any more', old: holding(['null', 'string']), fresh: holding('string'), ...forward },
  {
    name: 'a union with a type more',
    old: holding(['null', 'string']),
    fresh: holding(['null', 'string', 'int']),
    ...backward,
  },
  {
    name: 'a union in another order',
    old: holding(['null', 'string']),
    fresh: holding(['string', 'null']),
    ...both,
  },
  {
    name: 'a union whose branch is promoted',
    old: holding(['null', 'int']),
    fresh: holding(['null', 'long']),
    ...backward,
  },
  {
    name: 'a union of records, one of which has a field more',
    old: holding([record('A', field('a')), record('B', field('b'))]),
    fresh: holding([record('A', field('a')), record('B', field('b'), optional('c'))]),
    ...both,
  },
  { name: 'a symbol more', old: holding(symbols(['A', 'B'])), fresh: holding(symbols(['A', 'B', 'C'])), ...backward },
  {
    name: 'a symbol more, where both have a default',
    old: holding(symbols(['A', 'B'], { default: 'A' })),
    fresh: holding(symbols(['A', 'B', 'C'], { default: 'A' })),
    ...both,
  },
  { name: 'a symbol less', old: holding(symbols(['A', 'B'])), fresh: holding(symbols(['A'])), ...forward },
  { name: 'symbols in another order', old: holding(symbols(['A', 'B'])), fresh: holding(symbols(['B', 'A'])), ...both },
  {
    name: 'another enum',
    old: holding(symbols(['A'])),
    fresh: holding({ type: 'enum', name: 'G', symbols: ['A'] }),
    ...neither,
  },
  { name: 'another size', old: holding(fixed(4)), fresh: holding(fixed(8)), ...neither },
  {
    name: 'another fixed',
    old: holding(fixed(4)),
    fresh: holding({ type: 'fixed', name: 'G', size: 4 }),
    ...neither,
  },
  {
    name: 'promoted items',
    old: holding({ type: 'array', items: 'int' }),
    fresh: holding({ type: 'array', items: 'long' }),
    ...backward,
  },
  {
    name: 'promoted values',
    old: holding({ type: 'map', values: 'int' }),
    fresh: holding({ type: 'map', values: 'long' }),
    ...backward,
  },
  {
    name: 'an array instead of a map',
    old: holding({ type: 'map', values: 'int' }),
    fresh: holding({ type: 'array', items: 'int' }),
    ...neither,
  },
  {
    name: 'a field more inside',
    old: holding(record('Inner', field('a'))),
    fresh: holding(record('Inner', field('a'), field('b'))),
    ...forward,
  },
  { name: 'a field more in what holds itself', old: list(), fresh: list('more'), ...both },
  {
    name: 'a logical type',
    old: holding('long'),
    fresh: holding({ type: 'long', logicalType: 'timestamp-millis' }),
    ...both,
  },
  {
    name: 'a type that is no record',
    old: 'int',
    fresh: 'long',
    ...backward,
  },
]
