/**
 * Asks a new leader whether it still has what was read from the previous one (KIP-320). After an unclean election it
 * may not. Then reading continues where the logs diverge, so that what was written there since is not skipped.
 */
import {
  ErrorCode,
  OffsetForLeaderEpoch,
  type Decoded,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '@ottla/protocol'
import { groupBy } from '../../base/grouping.ts'
import { stackOf } from '../../base/unknown-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { isRetriable } from '../../cluster/retry.ts'
import { resetPolicy } from '../../config/reset-policy.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import type { FetchQueue } from '../fetch/fetch-queue.ts'
import type { Cursor } from '../partition/cursor.ts'
import { LeaderLoops } from './leader-loops.ts'

/** What the validator needs from its consumer. */
export interface ValidatorHost {
  readonly cursors: readonly Cursor[]
  /** The first message that a run or a stream has taken and is not done with. */
  firstOpen(cursor: Cursor): number | null
  /** Cursors are active again, perhaps at another offset. */
  onValidated(): void
  /** The log has nothing of what was read: resets the position by `auto.offset.reset`. */
  reset(cursor: Cursor, reason: string): void
  /** Reports an error to the application. */
  raise(error: KafkaError, topic?: string): void
}

type Answer = Decoded<OffsetForLeaderEpochResponse>['topics'][number]['partitions'][number]

// Earlier versions are for brokers only.
const FIRST_FOR_CONSUMERS = 3
const UNKNOWN = -1

export class OffsetValidator {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #queue: FetchQueue
  readonly #host: ValidatorHost
  readonly #errorThrottle: ErrorThrottle
  readonly #loops: LeaderLoops
  readonly #abort = new AbortController()
  /** `auto.offset.reset=error` */
  readonly #stopsAtTruncation: boolean

  constructor(context: ClientContext, cluster: Cluster, queue: FetchQueue, host: ValidatorHost) {
    this.#context = context
    this.#cluster = cluster
    this.#queue = queue
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
    this.#loops = new LeaderLoops(context, cluster.metadata, {
      cursors: () => host.cursors.filter(({ state }) => state === 'validating'),
      ask: async (leader, cursors) => {
        const again = await this.#ask(leader, cursors)
        if (!this.#abort.signal.aborted) host.onValidated()
        return again
      },
    })
    this.#stopsAtTruncation = resetPolicy(context.settings['auto.offset.reset'])?.to === 'error'
  }

  /** Validates the cursors that need it. */
  kick(): void {
    this.#loops.kick()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#loops.close()
  }

  /** @returns whether something is left to retry */
  async #ask(leader: number, cursors: readonly Cursor[]): Promise<boolean> {
    const { logger, settings } = this.#context
    const asked = cursors.map(cursor => ({ cursor, question: cursor.question, epoch: this.#leaderOf(cursor).epoch }))
    let response: Decoded<OffsetForLeaderEpochResponse>
    try {
      const broker = this.#cluster.broker(leader)
      if (broker === undefined) throw KafkaError.of(ErrorCode.ERR_LEADER_NOT_AVAILABLE, `broker ${leader}`)
      response = await broker.request(OffsetForLeaderEpoch, requestOf(asked), {
        timeoutMs: settings['socket.timeout.ms'],
        signal: this.#abort.signal,
        minVersion: FIRST_FOR_CONSUMERS,
      })
    } catch (error) {
      if (this.#abort.signal.aborted) return false
      if (error instanceof KafkaError && error.code === ErrorCode.ERR__UNSUPPORTED_FEATURE) {
        // A broker before 2.3 cannot be asked.
        for (const { cursor, question, epoch } of asked) {
          if (cursor.question === question && cursor.state === 'validating') cursor.validated(epoch)
        }
        return false
      }
      logger.debug('fetch', 'VALIDATE', `broker ${leader}: ${stackOf(error)}`)
      this.#cluster.metadata.requestRefresh('a leader did not validate offsets', topicsOf(cursors))
      return true
    }
    let again = false
    for (const { cursor, question, epoch } of asked) {
      // Another leader may have answered meanwhile.
      if (cursor.question !== question || cursor.state !== 'validating') continue
      const answer = answerAbout(response, cursor)
      if (answer?.errorCode === ErrorCode.ERR_NO_ERROR) {
        this.#errorThrottle.resolved(cursor.name)
        this.#settle(cursor, epoch, answer)
      } else {
        again = true
        this.#refused(cursor, answer?.errorCode ?? ErrorCode.ERR__BAD_MSG)
      }
    }
    return again
  }

  #settle(cursor: Cursor, epoch: number, { leaderEpoch, endOffset }: Answer): void {
    if (leaderEpoch !== UNKNOWN && endOffset >= cursor.fetchOffset) {
      cursor.validated(epoch)
      return
    }
    const read = `it was read up to offset ${cursor.fetchOffset} of leader epoch ${cursor.fetchEpoch}`
    if (leaderEpoch === UNKNOWN || endOffset === UNKNOWN) {
      this.#queue.forget(cursor)
      this.#host.reset(cursor, `the log was truncated: ${read}, of which the new leader has nothing`)
      return
    }
    const isUnseen = endOffset >= cursor.position
    // What is before that, and was taken but not begun, comes again: the move ends the era in which it was taken.
    const next = isUnseen ? cursor.position : Math.min(endOffset, this.#host.firstOpen(cursor) ?? endOffset)
    const reason = `the log was truncated: ${read}, but the new leader has it up to offset ${endOffset}`
    this.#queue.forget(cursor)
    if (!isUnseen && this.#stopsAtTruncation) {
      cursor.stop()
      const text = `${cursor.name}: ${reason} (auto.offset.reset=error)`
      this.#host.raise(new KafkaError(ErrorCode.ERR__LOG_TRUNCATION, text))
      return
    }
    this.#context.logger.warning('TRUNCATION', `${cursor.name}: ${reason}; reading continues at offset ${next}`)
    cursor.truncate(next, leaderEpoch)
  }

  #refused(cursor: Cursor, code: number): void {
    const error = KafkaError.of(code, `validating the position in ${cursor.name}`)
    this.#context.logger.debug('fetch', 'VALIDATE', error.message)
    if (isRetriable(code)) this.#cluster.metadata.requestRefresh(error.message, [cursor.topic])
    else if (this.#errorThrottle.shouldReport(cursor.name, error)) {
      this.#host.raise(error, code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED ? cursor.topic : undefined)
    }
  }

  #leaderOf({ topic, partition }: Cursor): { leader: number; epoch: number } {
    const found = this.#cluster.metadata.snapshot.topics.get(topic)?.partitions[partition]
    return { leader: found?.leader ?? -1, epoch: found?.leaderEpoch ?? UNKNOWN }
  }
}

function requestOf(asked: readonly { cursor: Cursor; epoch: number }[]): OffsetForLeaderEpochRequest {
  const topics = groupBy(
    asked,
    ({ cursor }) => cursor.topic,
    ({ cursor, epoch }) => ({
      partition: cursor.partition,
      currentLeaderEpoch: epoch,
      leaderEpoch: cursor.fetchEpoch,
    }),
  )
  return { replicaId: -1, topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })) }
}

function answerAbout(response: Decoded<OffsetForLeaderEpochResponse>, cursor: Cursor): Answer | undefined {
  const topic = response.topics.find(one => one.topic === cursor.topic)
  return topic?.partitions.find(one => one.partition === cursor.partition)
}

function topicsOf(cursors: readonly Cursor[]): string[] {
  return [...new Set(cursors.map(({ topic }) => topic))]
}
