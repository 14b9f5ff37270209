/** Constructor options of a consumer, beside its configuration. */
import type { ClientOptions } from '../cluster/context.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import type { DeserializerInput } from '../serdes.ts'
import type { DeserializersByTopic, OptionsArgument, TopicsOption } from '../topic-serdes.ts'
import type { TopicForm } from '../topics.ts'
import type { ConsumerEvent } from '../types.ts'
import type { PartitionAssignor } from './group/assignors/assignor.ts'
import { strategiesOf, type Strategy } from './group/assignors/strategies.ts'
import type { ConsumerInterceptor } from './read/interceptors.ts'

/** @since 0.1.0 */
export interface ConsumerOptions<K, V> extends ClientOptions {
  /** Deserializes keys; Buffers without it. */
  readonly key?: DeserializerInput<K>
  /** Deserializes values; Buffers without it. */
  readonly value?: DeserializerInput<V>
  /** The application's own strategies, which `partition.assignment.strategy` can name. */
  readonly assignors?: readonly PartitionAssignor[]
  /** Called with every delivered message and every commit. */
  readonly interceptors?: readonly ConsumerInterceptor<K, V>[]
}

/**
 * Constructor options of a consumer for typed topics.
 * @since 0.1.0
 */
export type TopicConsumerOptions<T> = Omit<ConsumerOptions<unknown, unknown>, 'key' | 'value'> &
  TopicsOption<DeserializersByTopic<T>>

/**
 * The second signature of the constructor, which is for typed topics only.
 * @since 0.1.0
 */
export type TopicConsumerArguments<K, V> = {
  readonly plain: [options: never]
  readonly topics: OptionsArgument<TopicConsumerOptions<K>>
}[TopicForm<K, V>]

/**
 * The strategies of these names, the application's own included.
 * @throws KafkaError ERR__INVALID_ARG for an unknown one, and for options that a consumer does not have
 */
export function strategiesFor<K, V>(names: readonly string[], options: ConsumerOptions<K, V>): Strategy[] {
  return strategiesOf(names, checkedOptions('Consumer', options).assignors ?? [])
}

/**
 * A listener for one type of a consumer's events.
 * @since 0.1.0
 */
export type ConsumerListener<K, V, T extends ConsumerEvent['type']> = (
  event: Extract<ConsumerEvent<K, V>, { type: T }>,
) => void
