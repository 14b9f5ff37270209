/** The TypeScript type of an Avro schema that is written as a literal. Types only. */

/**
 * The names that a schema defines on the way down, with their schemas.
 * @since 0.1.0
 */
export type AvroNames = Record<string, unknown>

/**
 * Options that change types.
 * @since 0.1.0
 */
export interface AvroTypeOptions {
  readonly long?: 'bigint' | 'number'
  readonly logicalTypes?: unknown
  readonly unions?: 'auto' | 'wrapped'
}

/**
 * The type of an Avro schema's values: `AvroValue<typeof schema>`, with `as const` behind the schema. Options of the
 * serdes that change types come second: `AvroValue<typeof schema, { long: 'bigint' }>`. Where a schema is not a literal,
 * or refers to another one, it is `unknown`.
 * @since 0.1.0
 */
// `any` would take every branch of every condition below, without end.
export type AvroValue<S, O = object> = 0 extends 1 & S ? unknown : AvroValueOf<S, O & AvroTypeOptions, AvroNamesIn<S>>

/**
 * A part of a schema, with the names that are defined around it.
 * @since 0.1.0
 */
export type AvroValueOf<S, O extends AvroTypeOptions, N extends AvroNames> = S extends string
  ? AvroNamed<S, O, N>
  : S extends readonly unknown[]
    ? AvroUnion<S, O, N>
    : S extends { readonly type: infer T }
      ? AvroComplex<S, T, O, N>
      : unknown

/**
 * A type by its name.
 * @since 0.1.0
 */
export type AvroNamed<
  S extends string,
  O extends AvroTypeOptions,
  N extends AvroNames,
> = S extends keyof AvroPrimitives<O> ? AvroPrimitives<O>[S] : S extends keyof N ? AvroValueOf<N[S], O, N> : unknown

/**
 * The types of primitive types.
 * @since 0.1.0
 */
export interface AvroPrimitives<O extends AvroTypeOptions> {
  readonly null: null
  readonly boolean: boolean
  readonly int: number
  readonly long: O['long'] extends 'bigint' ? bigint : number
  readonly float: number
  readonly double: number
  readonly bytes: Buffer
  readonly string: string
}

/**
 * A type with parts, or with attributes.
 * @since 0.1.0
 */
export type AvroComplex<S, T, O extends AvroTypeOptions, N extends AvroNames> = T extends 'record' | 'error'
  ? S extends { readonly fields: infer F }
    ? AvroRecordOf<F, O, N>
    : unknown
  : T extends 'enum'
    ? S extends { readonly symbols: readonly (infer X)[] }
      ? X
      : unknown
    : T extends 'array'
      ? S extends { readonly items: infer I }
        ? AvroValueOf<I, O, N>[]
        : unknown
      : T extends 'map'
        ? S extends { readonly values: infer V }
          ? Record<string, AvroValueOf<V, O, N>>
          : unknown
        : S extends { readonly logicalType: infer L }
          ? AvroLogicalOf<L, T extends 'fixed' ? Buffer : AvroValueOf<T, O, N>, O>
          : T extends 'fixed'
            ? Buffer
            : AvroValueOf<T, O, N>

/**
 * A conversion of the application's makes what it makes; only the built-in ones are known here.
 * @since 0.1.0
 */
export type AvroLogicalOf<L, Raw, O extends AvroTypeOptions> = O['logicalTypes'] extends 'raw'
  ? Raw
  : O['logicalTypes'] extends object
    ? L extends keyof O['logicalTypes']
      ? O['logicalTypes'][L] extends 'raw'
        ? Raw
        : O['logicalTypes'][L] extends 'convert'
          ? AvroConverted<L, Raw>
          : O['logicalTypes'][L] extends { readonly read: (raw: never) => infer R }
            ? R
            : unknown
      : AvroConverted<L, Raw>
    : AvroConverted<L, Raw>

/**
 * Logical types that are converted by default.
 * @since 0.1.0
 */
export type AvroConverted<L, Raw> = L extends 'date' | 'timestamp-millis' | 'local-timestamp-millis'
  ? Date
  : L extends 'decimal' | 'uuid'
    ? string
    : Raw

/**
 * A record, by its fields.
 * @since 0.1.0
 */
export type AvroRecordOf<F, O extends AvroTypeOptions, N extends AvroNames> = F extends readonly unknown[]
  ? AvroFlat<{
      [K in keyof F & `${number}` as AvroNameOf<F[K]>]: F[K] extends { readonly type: infer T }
        ? AvroValueOf<T, O, N>
        : unknown
    }>
  : unknown

/**
 * A field's name.
 * @since 0.1.0
 */
export type AvroNameOf<F> = F extends { readonly name: infer X extends string } ? X : never

/**
 * As the application would have written it, in messages of the compiler.
 * @since 0.1.0
 */
export type AvroFlat<T> = { [K in keyof T]: T[K] }

/**
 * A union.
 * @since 0.1.0
 */
export type AvroUnion<
  S extends readonly unknown[],
  O extends AvroTypeOptions,
  N extends AvroNames,
> = O['unions'] extends 'wrapped'
  ? AvroWrapped<S[number], O, N>
  : AvroIsAmbiguous<S> extends true
    ? AvroWrapped<S[number], O, N>
    : { [I in keyof S]: AvroValueOf<S[I], O, N> }[number]

/**
 * A branch of a union as `{ name: value }`.
 * @since 0.1.0
 */
export type AvroWrapped<B, O extends AvroTypeOptions, N extends AvroNames> = B extends 'null'
  ? null
  : { [K in AvroBranchName<B>]: AvroValueOf<B, O, N> }

/**
 * Full names need the namespace around, so a record without one of its own may be called by its short name only.
 * @since 0.1.0
 */
export type AvroBranchName<B> = B extends string
  ? B
  : B extends { readonly name: infer X extends string; readonly namespace: infer P extends string }
    ? `${P}.${X}`
    : B extends { readonly name: infer X extends string }
      ? X
      : B extends { readonly type: infer T extends string }
        ? T
        : string

/**
 * As in `isWrapped` of the codec: two types that JavaScript does not tell apart.
 * @since 0.1.0
 */
export type AvroIsAmbiguous<S extends readonly unknown[], Seen = never> = S extends readonly [infer Head, ...infer Rest]
  ? AvroBucketOf<Head> extends infer B
    ? B extends 'null'
      ? AvroIsAmbiguous<Rest, Seen>
      : [B] extends [Seen]
        ? [Seen] extends [never]
          ? AvroIsAmbiguous<Rest, Seen | B>
          : true
        : AvroIsAmbiguous<Rest, Seen | B>
    : never
  : false

/**
 * What JavaScript tells apart.
 * @since 0.1.0
 */
export type AvroBucketOf<S> = S extends string
  ? S extends keyof AvroBuckets
    ? AvroBuckets[S]
    : 'object'
  : S extends { readonly logicalType: 'date' | 'timestamp-millis' | 'local-timestamp-millis' }
    ? 'date'
    : S extends { readonly logicalType: 'decimal' | 'uuid' }
      ? 'string'
      : S extends { readonly type: infer T extends string }
        ? T extends keyof AvroBuckets
          ? AvroBuckets[T]
          : 'object'
        : 'object'

/**
 * What JavaScript tells apart, by types.
 * @since 0.1.0
 */
export interface AvroBuckets {
  readonly null: 'null'
  readonly boolean: 'boolean'
  readonly int: 'number'
  readonly long: 'number'
  readonly float: 'number'
  readonly double: 'number'
  readonly string: 'string'
  readonly enum: 'string'
  readonly bytes: 'bytes'
  readonly fixed: 'bytes'
  readonly array: 'array'
}

/**
 * AvroNames that may be referred to: short, and full where the definition states its namespace.
 * @since 0.1.0
 */
export type AvroNamesIn<S> =
  AvroDefinitions<S> extends infer D
    ? {
        [E in D as E extends readonly [infer X extends string, unknown] ? X : never]: E extends readonly [
          unknown,
          infer T,
        ]
          ? T
          : never
      }
    : never

/**
 * All definitions in a schema, as pairs of name and schema.
 * @since 0.1.0
 */
export type AvroDefinitions<S> = S extends string
  ? never
  : S extends readonly unknown[]
    ? AvroDefinitions<S[number]>
    : S extends { readonly type: 'record' | 'error'; readonly name: infer X extends string; readonly fields: infer F }
      ? AvroNamesOf<S, X> | (F extends readonly unknown[] ? AvroFieldDefinitions<F[number]> : never)
      : S extends { readonly type: 'enum' | 'fixed'; readonly name: infer X extends string }
        ? AvroNamesOf<S, X>
        : S extends { readonly type: 'array'; readonly items: infer I }
          ? AvroDefinitions<I>
          : S extends { readonly type: 'map'; readonly values: infer V }
            ? AvroDefinitions<V>
            : S extends { readonly type: infer T }
              ? AvroDefinitions<T>
              : never

/**
 * Those in a field.
 * @since 0.1.0
 */
export type AvroFieldDefinitions<F> = F extends { readonly type: infer T } ? AvroDefinitions<T> : never

/**
 * The names of a definition.
 * @since 0.1.0
 */
export type AvroNamesOf<S, X extends string> =
  readonly [X, S] | (S extends { readonly namespace: infer P extends string } ? readonly [`${P}.${X}`, S] : never)
