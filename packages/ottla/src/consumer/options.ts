/** What a consumer takes besides its configuration. */
import type { ClientOptions } from '../cluster/context.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import type { DeserializerInput } from '../serdes.ts'
import type { PartitionAssignor } from './group/assignors/assignor.ts'
import { strategiesOf, type Strategy } from './group/assignors/strategies.ts'
import type { ConsumerInterceptor } from './read/interceptors.ts'

/** @since 0.1.0 */
export interface ConsumerOptions<K, V> extends ClientOptions {
  /** Turns the bytes of keys into something else. */
  readonly key?: DeserializerInput<K>
  /** Turns the bytes of values into something else. */
  readonly value?: DeserializerInput<V>
  /** Strategies of the program's own, to be named in `partition.assignment.strategy`. */
  readonly assignors?: readonly PartitionAssignor[]
  /** Called with every message that is handed out and every commit. */
  readonly interceptors?: readonly ConsumerInterceptor<K, V>[]
}

/**
 * The strategies of these names, the program's own included.
 * @throws KafkaError ERR__INVALID_ARG for one that there is not, and for options that a consumer does not have
 */
export function strategiesFor<K, V>(names: readonly string[], options: ConsumerOptions<K, V>): Strategy[] {
  return strategiesOf(names, checkedOptions('Consumer', options).assignors ?? [])
}
