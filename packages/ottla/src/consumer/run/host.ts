/** What runs and partition streams need of their consumer. */
import type { RecordBatch } from '@ottla/protocol'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KafkaError } from '../../errors.ts'
import type { ChannelClient } from '../../observe/channel-payloads.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { Reader } from '../read/reader.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { RunHooks } from './hooks.ts'

export interface RunnerHost<K, V> {
  readonly client: ChannelClient
  readonly clock: Clock
  readonly random: Random
  readonly reader: Reader<K, V>
  readonly runningJobs: RunningJobs
  /** Has the reader look again. */
  wake(): void
  /** Sets the hooks of the current run; null when it ends. */
  hook(hooks: RunHooks | null): void
  /** Commits the stored offsets of these partitions, by default of all. */
  commit(cursors?: readonly Cursor[]): Promise<void>
  /** `enable.auto.commit`: the client commits at intervals, and when partitions are given up. */
  readonly commitsItself: boolean
  readonly commitIntervalMs: number
  /** How long the other members (`max.poll.interval.ms`) and a `close` in progress wait. */
  longestDrainMs(): number
  /** The group has been left because something takes too long: nothing is started. */
  isParked(): boolean
  /** Limit for messages that wait for a handler. */
  readonly mostBytes: number
  /** How many partitions are assigned. */
  partitions(): number
  /** Delivers nothing of a partition until `unhold`. */
  hold(cursor: Cursor): void
  unhold(cursor: Cursor): void
  /** The next reader begins at this offset of these batches, unless that is still ahead, or the era is over. */
  rewindTo(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void
  /** Logs an error that the client recovers from. */
  warn(error: KafkaError): void
}
