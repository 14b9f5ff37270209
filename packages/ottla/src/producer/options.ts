/** What a producer is made with, and what it tells. */
import type { ClientOptions } from '../cluster/context.ts'
import type { SerializerInput } from '../serdes.ts'
import type { OptionsArgument, SerializersByTopic, TopicsOption } from '../topic-serdes.ts'
import type { TopicForm } from '../topics.ts'
import type { Bytes, Partitioner, ProducerEvent } from '../types.ts'
import type { ProducerInterceptor } from './interceptors.ts'

/**
 * Constructor options of a producer.
 * @since 0.1.0
 */
export interface ProducerOptions<K = Bytes, V = Bytes> extends ClientOptions {
  /** Turns a message's key into bytes; not called for null and undefined. */
  readonly key?: SerializerInput<K>
  /** Turns a message's value into bytes; not called for null and undefined. */
  readonly value?: SerializerInput<V>
  /** Chooses partitions, instead of the `partitioner` property. */
  readonly partitioner?: Partitioner
  /** Called for every message and every delivery report. */
  readonly interceptors?: readonly ProducerInterceptor<K, V>[]
}

/**
 * Constructor options of a producer for typed topics.
 * @since 0.1.0
 */
export type TopicProducerOptions<T> = Omit<ProducerOptions<unknown, unknown>, 'key' | 'value'> &
  TopicsOption<SerializersByTopic<T>>

/**
 * The second signature of the constructor, which is for typed topics only.
 * @since 0.1.0
 */
export type TopicProducerArguments<K, V> = {
  readonly plain: [options: never]
  readonly topics: OptionsArgument<TopicProducerOptions<K>>
}[TopicForm<K, V>]

/**
 * A listener for one type of a producer's events.
 * @since 0.1.0
 */
export type ProducerListener<K, V, T extends ProducerEvent['type']> = (
  event: Extract<ProducerEvent<K, V>, { type: T }>,
) => void
