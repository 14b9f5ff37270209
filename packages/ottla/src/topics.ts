/**
 * Typed topics: an interface that gives each topic the types of its keys and values, as in
 * `new Producer<{ orders: { key: string; value: Order } }>(…)`. Types only: there is nothing of it at run time.
 */

/**
 * The types of one topic's keys and values; bytes where one is left out.
 * @since 0.1.0
 */
export interface TopicTypes {
  readonly key?: unknown
  readonly value?: unknown
}

/**
 * How the two type parameters of a client are meant: as the types of all keys and values, or (with a map in the first
 * place and nothing in the second) topic by topic. Neither `never` nor `any` nor an object without properties is a map.
 *
 * In a function that is itself generic in K or V it is still open. `infer … extends object` lets the compiler take it for
 * `plain` there, so that such functions can be written as if there were no topics.
 * @since 0.1.0
 */
export type TopicForm<K, V> = [V] extends [never]
  ? [K] extends [never]
    ? 'plain'
    : 0 extends 1 & K
      ? 'plain'
      : [K] extends [infer T extends object]
        ? [keyof T] extends [never]
          ? 'plain'
          : [T] extends [{ readonly [N in keyof T]: TopicTypes }]
            ? 'topics'
            : 'plain'
        : 'plain'
  : 'plain'

/**
 * The second type parameter where it is left out: none beside a map of topics, else raw bytes.
 * @since 0.1.0
 */
export type ValueBeside<K, Raw> = TopicForm<K, never> extends 'topics' ? never : Raw

/**
 * The names in a map of topics.
 * @since 0.1.0
 */
export type TopicName<T> = keyof T & string

/**
 * The type of a topic's keys or values; raw bytes where the map says nothing.
 * @since 0.1.0
 */
export type TopicField<E, F extends 'key' | 'value', Raw> = F extends keyof E ? Exclude<E[F], undefined> : Raw

/**
 * Ends the parameters of a constructor that is not for typed topics. Nothing satisfies it with a map of topics, which
 * needs the other signature: that one takes their serializers.
 * @since 0.1.0
 */
export type Untyped<K, V> = { readonly plain: []; readonly topics: [topics: never] }[TopicForm<K, V>]
