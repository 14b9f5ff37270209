/** The TypeScript type of a JSON schema that is written as a literal. Types only. */

/**
 * The type of a JSON schema's values: `JsonSchemaValue<typeof schema>`, with `as const` behind the schema. Where a schema is
 * not a literal, or refers to another one, it is `unknown`.
 * @since 0.1.0
 */
// `any` would take every branch of every condition below, without end.
export type JsonSchemaValue<S> = 0 extends 1 & S ? unknown : JsonValueOf<S, S>

/**
 * A part of a schema, with the schema that it is a part of.
 * @since 0.1.0
 */
export type JsonValueOf<S, R> = S extends true
  ? unknown
  : S extends false
    ? never
    : S extends { readonly $ref: infer P }
      ? JsonReferred<P, R>
      : S extends { readonly const: infer C }
        ? JsonMutable<C>
        : S extends { readonly enum: readonly (infer E)[] }
          ? JsonMutable<E>
          : JsonTyped<S, R> & JsonCombined<S, R>

/**
 * What `#`, `#/$defs/…` and `#/definitions/…` mean.
 * @since 0.1.0
 */
export type JsonReferred<P, R> = P extends '#'
  ? JsonValueOf<R, R>
  : P extends `#/${infer K extends '$defs' | 'definitions'}/${infer N}`
    ? R extends { readonly [k in K]: { readonly [n in N]: infer S } }
      ? JsonValueOf<S, R>
      : unknown
    : unknown

/**
 * A literal without its `readonly`.
 * @since 0.1.0
 */
export type JsonMutable<T> = T extends object ? { -readonly [K in keyof T]: JsonMutable<T[K]> } : T

/**
 * What `type` says, or the keywords of objects and arrays where there is none.
 * @since 0.1.0
 */
export type JsonTyped<S, R> = S extends { readonly type: readonly (infer T)[] }
  ? JsonParts<T, S, R>
  : S extends { readonly type: infer T }
    ? JsonParts<T, S, R>
    : S extends { readonly properties: unknown }
      ? JsonObjectOf<S, R>
      : S extends { readonly items: unknown } | { readonly prefixItems: unknown }
        ? JsonArrayOf<S, R>
        : unknown

/**
 * The values of types, by name.
 * @since 0.1.0
 */
export type JsonParts<T, S, R> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'object'
          ? JsonObjectOf<S, R>
          : T extends 'array'
            ? JsonArrayOf<S, R>
            : unknown

/**
 * What `allOf`, `anyOf` and `oneOf` say.
 * @since 0.1.0
 */
export type JsonCombined<S, R> = (S extends { readonly anyOf: readonly (infer P)[] }
  ? P extends unknown
    ? JsonValueOf<P, R>
    : never
  : unknown) &
  (S extends { readonly oneOf: readonly (infer P)[] } ? (P extends unknown ? JsonValueOf<P, R> : never) : unknown) &
  (S extends { readonly allOf: readonly [infer P, ...infer Q] }
    ? JsonValueOf<P, R> & JsonCombined<{ readonly allOf: Q }, R>
    : unknown)

/**
 * The names of properties that have to be there.
 * @since 0.1.0
 */
export type JsonRequired<S> = S extends { readonly required: readonly (infer K)[] } ? K : never

/**
 * An object; without `properties` with any names.
 * @since 0.1.0
 */
export type JsonObjectOf<S, R> = S extends { readonly properties: infer P }
  ? {
      -readonly [K in keyof P as K extends JsonRequired<S> ? K : never]: JsonValueOf<P[K], R>
    } & {
      -readonly [K in keyof P as K extends JsonRequired<S> ? never : K]?: JsonValueOf<P[K], R>
    }
  : Record<string, JsonAdditional<S, R>>

/**
 * What properties are that are not named.
 * @since 0.1.0
 */
export type JsonAdditional<S, R> = S extends { readonly additionalProperties: infer A } ? JsonValueOf<A, R> : unknown

/**
 * An array; the first items may have types of their own.
 * @since 0.1.0
 */
export type JsonArrayOf<S, R> = S extends { readonly prefixItems: infer P extends readonly unknown[] }
  ? [...JsonItems<P, R>, ...(S extends { readonly items: infer I } ? JsonValueOf<I, R> : unknown)[]]
  : S extends { readonly items: infer I }
    ? I extends readonly unknown[]
      ? [...JsonItems<I, R>, ...unknown[]]
      : JsonValueOf<I, R>[]
    : unknown[]

/**
 * Items with types of their own, any of which may be missing.
 * @since 0.1.0
 */
export type JsonItems<P extends readonly unknown[], R> = P extends readonly [infer A, ...infer Q]
  ? [JsonValueOf<A, R>?, ...JsonItems<Q, R>]
  : []
