/** Serializers and deserializers by topic, as one function for each field. */
import { invalidArgument } from './errors.ts'
import { deserializerOf, serializerOf, type DeserializerInput, type SerializerInput } from './serdes.ts'
import type { TopicField } from './topics.ts'
import type { Bytes, Deserializer, SerdesContext, Serializer } from './types.ts'

/**
 * What the serializer of a topic's keys or values gets.
 * @since 0.1.0
 */
export type SentAs<E, F extends 'key' | 'value'> = Exclude<TopicField<E, F, Bytes>, null>

/**
 * What the deserializer of a topic's keys or values gives.
 * @since 0.1.0
 */
export type ReadAs<E, F extends 'key' | 'value'> = Exclude<TopicField<E, F, Buffer>, null>

/**
 * The serializers of one topic. What is sent as it is (bytes and text) needs none.
 * @since 0.1.0
 */
export type TopicSerializers<E> = {
  readonly [F in 'key' | 'value' as [SentAs<E, F>] extends [Bytes] ? never : F]: SerializerInput<SentAs<E, F>>
} & {
  readonly [F in 'key' | 'value' as [SentAs<E, F>] extends [Bytes] ? F : never]?:
    SerializerInput<SentAs<E, F>> | undefined
}

/**
 * The deserializers of one topic. What is read as a Buffer needs none.
 * @since 0.1.0
 */
export type TopicDeserializers<E> = {
  readonly [F in 'key' | 'value' as [Buffer] extends [ReadAs<E, F>] ? never : F]: DeserializerInput<ReadAs<E, F>>
} & {
  readonly [F in 'key' | 'value' as [Buffer] extends [ReadAs<E, F>] ? F : never]?:
    DeserializerInput<ReadAs<E, F>> | undefined
}

/**
 * The serializers of a producer's topics: of all that need some.
 * @since 0.1.0
 */
export type SerializersByTopic<T> = {
  readonly [N in keyof T as object extends TopicSerializers<T[N]> ? never : N]: TopicSerializers<T[N]>
} & {
  readonly [N in keyof T as object extends TopicSerializers<T[N]> ? N : never]?: TopicSerializers<T[N]> | undefined
}

/**
 * The deserializers of a consumer's topics: of all that need some.
 * @since 0.1.0
 */
export type DeserializersByTopic<T> = {
  readonly [N in keyof T as object extends TopicDeserializers<T[N]> ? never : N]: TopicDeserializers<T[N]>
} & {
  readonly [N in keyof T as object extends TopicDeserializers<T[N]> ? N : never]?: TopicDeserializers<T[N]> | undefined
}

/**
 * The option `topics`, which may be left out if no topic needs it.
 * @since 0.1.0
 */
export type TopicsOption<M> = object extends M ? { readonly topics?: M | undefined } : { readonly topics: M }

/**
 * The last parameter of a constructor for typed topics: left out where nothing in it is needed.
 * @since 0.1.0
 */
export type OptionsArgument<O> = object extends O ? [options?: O] : [options: O]

/** What the constructors get: of all topics, or by topic; types are checked where the constructors are called. */
interface GivenSerdes<I> {
  readonly key?: I | undefined
  readonly value?: I | undefined
  readonly topics?: unknown
}

/** One function for each field; null where bytes stay as they are. */
interface SerdesPair<S> {
  readonly key: S | null
  readonly value: S | null
}

/** @throws KafkaError ERR__INVALID_ARG for anything but serializers */
export function serializersOf(options: object): SerdesPair<Serializer<unknown>> {
  return pairOf(options as GivenSerdes<SerializerInput<unknown>>, serializerOf, 'serializer')
}

/** @throws KafkaError ERR__INVALID_ARG for anything but deserializers */
export function deserializersOf(options: object): SerdesPair<Deserializer<unknown>> {
  return pairOf(options as GivenSerdes<DeserializerInput<unknown>>, deserializerOf, 'deserializer')
}

function pairOf<I, S extends Serializer<unknown> | Deserializer<unknown>>(
  { key, value, topics }: GivenSerdes<I>,
  of: (input: I) => S,
  what: string,
): SerdesPair<S> {
  if (topics === undefined) {
    return { key: key === undefined ? null : of(key), value: value === undefined ? null : of(value) }
  }
  if (key !== undefined || value !== undefined) {
    throw invalidArgument("the option 'topics' takes the place of 'key' and 'value': give the one or the others")
  }
  if (!isObject(topics)) throw invalidArgument(`the option 'topics' takes an object: { orders: { value: ${what} } }`)
  return { key: byTopic(topics, 'key', of, what), value: byTopic(topics, 'value', of, what) }
}

/** Null if no topic has one for this field: then nothing is called at all. */
function byTopic<S extends Serializer<unknown> | Deserializer<unknown>>(
  topics: object,
  field: 'key' | 'value',
  of: (input: never) => S,
  what: string,
): S | null {
  const functions = new Map<string, S>()
  for (const [topic, given] of Object.entries(topics) as [string, unknown][]) {
    if (given === undefined) continue
    if (!isObject(given)) throw invalidArgument(`topics.${topic} takes an object: { key: ${what}, value: ${what} }`)
    const unknown = Object.keys(given).find(name => name !== 'key' && name !== 'value')
    if (unknown !== undefined) throw invalidArgument(`topics.${topic} has no '${unknown}': it takes key and value`)
    const input = (given as Record<string, unknown>)[field]
    if (input === undefined) continue
    const made: unknown = typeof input === 'function' || isObject(input) ? of(input as never) : null
    if (typeof made !== 'function') throw invalidArgument(`topics.${topic}.${field} must be a ${what}`)
    functions.set(topic, made as S)
  }
  if (functions.size === 0) return null
  // Bytes of the other topics stay as they are.
  const dispatch = (data: never, context: SerdesContext): unknown => {
    const own = functions.get(context.topic)
    return own === undefined ? data : own(data, context)
  }
  // It is given and returns what they are given and return.
  return dispatch as unknown as S
}

function isObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
