/** What a consumer takes besides its configuration. */
import type { ClientOptions } from '../cluster/context.ts'
import type { DeserializerInput } from '../serdes.ts'
import type { PartitionAssignor } from './group/assignors/assignor.ts'
import type { ConsumerInterceptor } from './interceptors.ts'

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
