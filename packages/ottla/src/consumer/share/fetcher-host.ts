/** What the share fetcher uses of its consumer. */
import type { KafkaError } from '../../errors.ts'
import type { ShareSource } from './message.ts'
import type { ShareIdentity } from './share-requests.ts'

export interface ShareFetcherHost extends ShareIdentity {
  /** The application wants messages. */
  isWanted(): boolean
  /** Messages of the topic that have been fetched will be delivered; else they are released for other members. */
  isTaking(topic: string): boolean
  /** Messages have arrived. */
  onMessages(): void
  /** A broker has answered acknowledgements. @param error null when it has accepted them */
  onAcknowledged(source: ShareSource, types: ReadonlyMap<number, number>, error: KafkaError | null): void
  /** @param topic the topic that the error concerns */
  raise(error: KafkaError, topic?: string): void
}
