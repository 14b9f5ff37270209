/** What the clients of one `Kafka` share. */
import type { KafkaConfig } from '../types/client.ts'
import type { Logger } from '../types/logging.ts'
import type { CommittedOffsets } from './committed-offsets.ts'

export interface Shared {
  readonly config: KafkaConfig
  readonly logger: Logger
  /** What transactions of its producers have committed: a consumer of that group need not commit it again. */
  readonly committed: CommittedOffsets
}
