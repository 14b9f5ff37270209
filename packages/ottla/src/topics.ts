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

/** Whether it is a map of topics, and not the type of a key. */
type IsTopicMap<T> = [keyof T] extends [never]
  ? false
  : [T] extends [{ readonly [N in keyof T]: TopicTypes }]
    ? true
    : false

/** Whether it is `never` or `any`, which say nothing about topics. */
type IsNothing<T> = [T] extends [never] ? true : 0 extends 1 & T ? true : false

/**
 * How the two type parameters of a client are meant: as the types of all keys and values, or (with a map in the first
 * place and nothing in the second) topic by topic.
 *
 * In a function that is itself generic in K or V it is still open. `infer … extends object` lets the compiler take it for
 * `plain` there, so that such functions can be written as if there were no topics.
 * @internal
 */
export type TopicForm<K, V> = [V] extends [never]
  ? IsNothing<K> extends true
    ? 'plain'
    : [K] extends [infer T extends object]
      ? IsTopicMap<T> extends true
        ? 'topics'
        : 'plain'
      : 'plain'
  : 'plain'

/**
 * The second type parameter where it is left out: none beside a map of topics, else raw bytes.
 * @internal
 */
export type ValueBeside<K, Raw> = TopicForm<K, never> extends 'topics' ? never : Raw

/**
 * The names in a map of topics.
 * @since 0.1.0
 */
export type TopicName<T> = keyof T & string

/**
 * The type of a topic's keys or values; raw bytes where the map says nothing.
 * @internal
 */
export type TopicField<E, F extends 'key' | 'value', Raw> = F extends keyof E ? Exclude<E[F], undefined> : Raw

interface NothingMore {
  readonly plain: []
  // Nothing satisfies it: a map of topics needs the other signature, which takes their serializers.
  readonly topics: [topics: never]
}

/**
 * Ends the parameters of a constructor that is not for typed topics.
 * @internal
 */
export type Untyped<K, V> = NothingMore[TopicForm<K, V>]
