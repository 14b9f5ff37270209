/** The TypeScript type of an Avro schema that is written as a literal. Types only. */

/** The names that a schema defines on the way down, with their schemas. */
type Names = Record<string, unknown>

/** Options that change types. */
interface TypeOptions {
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
export type AvroValue<S, O = object> = 0 extends 1 & S ? unknown : ValueOf<S, O & TypeOptions, NamesIn<S>>

type ValueOf<S, O extends TypeOptions, N extends Names> = S extends string
  ? Named<S, O, N>
  : S extends readonly unknown[]
    ? Union<S, O, N>
    : S extends { readonly type: infer T }
      ? Complex<S, T, O, N>
      : unknown

type Named<S extends string, O extends TypeOptions, N extends Names> = S extends keyof Primitives<O>
  ? Primitives<O>[S]
  : S extends keyof N
    ? ValueOf<N[S], O, N>
    : unknown

interface Primitives<O extends TypeOptions> {
  readonly null: null
  readonly boolean: boolean
  readonly int: number
  readonly long: O['long'] extends 'bigint' ? bigint : number
  readonly float: number
  readonly double: number
  readonly bytes: Buffer
  readonly string: string
}

type Complex<S, T, O extends TypeOptions, N extends Names> = T extends 'record' | 'error'
  ? S extends { readonly fields: infer F }
    ? RecordOf<F, O, N>
    : unknown
  : T extends 'enum'
    ? S extends { readonly symbols: readonly (infer X)[] }
      ? X
      : unknown
    : T extends 'array'
      ? S extends { readonly items: infer I }
        ? ValueOf<I, O, N>[]
        : unknown
      : T extends 'map'
        ? S extends { readonly values: infer V }
          ? Record<string, ValueOf<V, O, N>>
          : unknown
        : S extends { readonly logicalType: infer L }
          ? LogicalOf<L, T extends 'fixed' ? Buffer : ValueOf<T, O, N>, O>
          : T extends 'fixed'
            ? Buffer
            : ValueOf<T, O, N>

/** A conversion of the application's makes what it makes; only the built-in ones are known here. */
type LogicalOf<L, Raw, O extends TypeOptions> = O['logicalTypes'] extends 'raw'
  ? Raw
  : O['logicalTypes'] extends object
    ? L extends keyof O['logicalTypes']
      ? O['logicalTypes'][L] extends 'raw'
        ? Raw
        : O['logicalTypes'][L] extends 'convert'
          ? Converted<L, Raw>
          : O['logicalTypes'][L] extends { readonly read: (raw: never) => infer R }
            ? R
            : unknown
      : Converted<L, Raw>
    : Converted<L, Raw>

type Converted<L, Raw> = L extends 'date' | 'timestamp-millis' | 'local-timestamp-millis'
  ? Date
  : L extends 'decimal' | 'uuid'
    ? string
    : Raw

type RecordOf<F, O extends TypeOptions, N extends Names> = F extends readonly unknown[]
  ? Flat<{
      [K in keyof F & `${number}` as NameOf<F[K]>]: F[K] extends { readonly type: infer T } ? ValueOf<T, O, N> : unknown
    }>
  : unknown

type NameOf<F> = F extends { readonly name: infer X extends string } ? X : never

/** As the application would have written it, in messages of the compiler. */
type Flat<T> = { [K in keyof T]: T[K] }

type Union<S extends readonly unknown[], O extends TypeOptions, N extends Names> = O['unions'] extends 'wrapped'
  ? Wrapped<S[number], O, N>
  : IsAmbiguous<S> extends true
    ? Wrapped<S[number], O, N>
    : { [I in keyof S]: ValueOf<S[I], O, N> }[number]

type Wrapped<B, O extends TypeOptions, N extends Names> = B extends 'null'
  ? null
  : { [K in BranchName<B>]: ValueOf<B, O, N> }

/** Full names need the namespace around, so a record without one of its own may be called by its short name only. */
type BranchName<B> = B extends string
  ? B
  : B extends { readonly name: infer X extends string; readonly namespace: infer P extends string }
    ? `${P}.${X}`
    : B extends { readonly name: infer X extends string }
      ? X
      : B extends { readonly type: infer T extends string }
        ? T
        : string

/** As in `isWrapped` of the codec: two types that JavaScript does not tell apart. */
type IsAmbiguous<S extends readonly unknown[], Seen = never> = S extends readonly [infer Head, ...infer Rest]
  ? BucketOf<Head> extends infer B
    ? B extends 'null'
      ? IsAmbiguous<Rest, Seen>
      : [B] extends [Seen]
        ? [Seen] extends [never]
          ? IsAmbiguous<Rest, Seen | B>
          : true
        : IsAmbiguous<Rest, Seen | B>
    : never
  : false

type BucketOf<S> = S extends string
  ? S extends keyof Buckets
    ? Buckets[S]
    : 'object'
  : S extends { readonly logicalType: 'date' | 'timestamp-millis' | 'local-timestamp-millis' }
    ? 'date'
    : S extends { readonly logicalType: 'decimal' | 'uuid' }
      ? 'string'
      : S extends { readonly type: infer T extends string }
        ? T extends keyof Buckets
          ? Buckets[T]
          : 'object'
        : 'object'

interface Buckets {
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

/** Names that may be referred to: short, and full where the definition states its namespace. */
type NamesIn<S> =
  Definitions<S> extends infer D
    ? {
        [E in D as E extends readonly [infer X extends string, unknown] ? X : never]: E extends readonly [
          unknown,
          infer T,
        ]
          ? T
          : never
      }
    : never

type Definitions<S> = S extends string
  ? never
  : S extends readonly unknown[]
    ? Definitions<S[number]>
    : S extends { readonly type: 'record' | 'error'; readonly name: infer X extends string; readonly fields: infer F }
      ? NamesOf<S, X> | (F extends readonly unknown[] ? FieldDefinitions<F[number]> : never)
      : S extends { readonly type: 'enum' | 'fixed'; readonly name: infer X extends string }
        ? NamesOf<S, X>
        : S extends { readonly type: 'array'; readonly items: infer I }
          ? Definitions<I>
          : S extends { readonly type: 'map'; readonly values: infer V }
            ? Definitions<V>
            : S extends { readonly type: infer T }
              ? Definitions<T>
              : never

type FieldDefinitions<F> = F extends { readonly type: infer T } ? Definitions<T> : never

type NamesOf<S, X extends string> =
  readonly [X, S] | (S extends { readonly namespace: infer P extends string } ? readonly [`${P}.${X}`, S] : never)
