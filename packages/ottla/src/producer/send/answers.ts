/** What the response to a produce request means for each of its batches: settled, or retried. */
import { ErrorCode, type Decoded, type ProduceResponse } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError } from '../../errors.ts'
import { RequestError } from '../../network/request-error.ts'
import type { SenderIdentity, SenderTransaction } from '../idempotence/identity.ts'
import { giveUp, judgeSequence } from '../idempotence/sequences.ts'
import { splitBatch, type Batch, type Outcome } from '../queue/batch.ts'
import { expiry, refused, written } from '../report/outcomes.ts'
import type { ProduceCluster, SenderContext, SenderSettings } from './context.ts'
import type { Outbox } from './outbox.ts'
import { answersOf, recordErrors, type PartitionAnswer, type Shipment, type ShippedRequest } from './produce-request.ts'
import { answerVerdict, behindLost, outOfSequence, requestVerdict, unsent, type Verdict } from './verdicts.ts'

/** A finished batch and its outcome. */
export interface Settlement {
  readonly shipment: Shipment
  readonly outcome: Outcome
}

/** Judges responses; puts batches to be retried back into their queues. */
export class AnswerJudge {
  readonly #cluster: ProduceCluster
  readonly #settings: SenderSettings
  readonly #context: SenderContext
  readonly #identity: SenderIdentity | null
  readonly #transaction: SenderTransaction | null

  /** @param identity - of an idempotent producer */
  constructor(
    cluster: ProduceCluster,
    settings: SenderSettings,
    context: SenderContext,
    identity: SenderIdentity | null,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#context = context
    this.#identity = identity
    this.#transaction = identity?.transaction ?? null
  }

  /** Judges a response for each shipment; undefined if there is none (acks=0). */
  answered(
    outbox: Outbox,
    shipments: readonly Shipment[],
    response: Decoded<ProduceResponse> | undefined,
  ): readonly Settlement[] {
    outbox.isProven = true
    const done: Settlement[] = []
    if (response === undefined) {
      // acks=0: nothing more will ever be known about them.
      for (const shipment of shipments) {
        shipment.queue.settle()
        done.push({ shipment, outcome: written('possibly-persisted', -1, -1, -1) })
      }
    } else {
      const answers = answersOf(shipments, response)
      this.#takeHints(shipments, answers, response)
      shipments.forEach((shipment, i) => {
        const answer = answers[i] ?? null
        if (answer?.errorCode !== ErrorCode.ERR_NO_ERROR) {
          const outcome = this.#refused(outbox, shipment, answer)
          if (outcome !== null) done.push({ shipment, outcome })
          return
        }
        this.#acknowledged(shipment, done)
        const { baseOffset, logAppendTimeMs, logStartOffset } = answer
        done.push({ shipment, outcome: written('persisted', baseOffset, logAppendTimeMs, logStartOffset) })
      })
    }
    return done
  }

  /** Judges a request that failed as a whole, for each shipment. */
  failed(outbox: Outbox, { shipments, isWritten }: ShippedRequest, error: unknown): readonly Settlement[] {
    const code = error instanceof KafkaError ? error.code : ErrorCode.ERR__FAIL
    const sent = isWritten && (error instanceof RequestError ? error.sent : true)
    const message = messageOf(error)
    const verdict = requestVerdict(code, sent)
    if (verdict.retry) outbox.isProven = false
    if (verdict.refresh) {
      const topics = new Set(shipments.map(({ queue }) => queue.topic.name))
      this.#cluster.metadata.requestRefresh(`produce: ${message}`, [...topics])
    }
    const done: Settlement[] = []
    for (const shipment of shipments) {
      if (sent) shipment.batch.isBufferShared = true
      const cause = new KafkaError(code, `${shipment.queue.name}: ${message}`, { cause: error })
      const outcome = this.#judge(outbox, shipment, verdict, cause, null)
      if (outcome !== null) done.push({ shipment, outcome })
    }
    return done
  }

  #acknowledged({ queue, batch, records, topicId }: Shipment, done: Settlement[]): void {
    queue.isAcknowledged = true
    queue.acknowledgedTo = Math.max(queue.acknowledgedTo, batch.baseMsgid + batch.count)
    queue.settle()
    for (const known of queue.takeSetAside()) {
      const shipment = { queue, batch: known, records, topicId }
      done.push({ shipment, outcome: written('persisted', -1, -1, -1) })
    }
  }

  // KIP-951: a broker that lost a partition names the new leader.
  #takeHints(
    shipments: readonly Shipment[],
    answers: readonly (PartitionAnswer | null)[],
    response: Decoded<ProduceResponse>,
  ): void {
    shipments.forEach(({ queue }, i) => {
      const hint = answers[i]?.currentLeader
      if (hint === undefined || hint.leaderId < 0 || hint.leaderEpoch < 0) return
      const { metadata } = this.#cluster
      metadata.applyLeaderHint(
        queue.topic.name,
        queue.partition,
        hint.leaderId,
        hint.leaderEpoch,
        response.nodeEndpoints,
      )
    })
  }

  /** Judges an error; null if the batch is retried. */
  #refused(outbox: Outbox, shipment: Shipment, answer: PartitionAnswer | null): Outcome | null {
    const { queue, batch } = shipment
    if (answer === null) {
      const error = new KafkaError(ErrorCode.ERR__BAD_MSG, `${queue.name}: the broker's response lacks the partition`)
      return this.#judge(outbox, shipment, requestVerdict(error.code, true), error, null)
    }
    const { errorCode, errorMessage } = answer
    if (errorCode === ErrorCode.ERR_MSG_SIZE_TOO_LARGE && this.#maySplit(batch)) {
      this.#split(shipment)
      return null
    }
    const error = KafkaError.of(errorCode, queue.name, errorMessage)
    if (this.#identity !== null && !batch.isSettled) {
      const sequence = judgeSequence(queue, batch, errorCode)
      if (sequence === 'persisted') {
        queue.settle()
        return written('persisted', -1, -1, -1)
      }
      if (sequence === 'set-aside' && !this.#isLost()) {
        batch.lastError = error
        queue.setAside(batch)
        return null
      }
      if (sequence !== 'other') {
        const isInDoubt = sequence === 'in-doubt' || sequence === 'set-aside'
        if (!isInDoubt) batch.doubt = 'not-persisted'
        if (sequence === 'fenced') this.#identity.fenced(queue.identity, error.message)
        else if (queue.hasGap) this.#identity.gap(queue.identity, error.message, errorCode)
        return this.#judge(outbox, shipment, isInDoubt ? behindLost : outOfSequence, error, null)
      }
    }
    const verdict = answerVerdict(errorCode, this.#settings.acks)
    if (verdict.refresh && queue.leader === outbox.brokerId) {
      this.#cluster.metadata.requestRefresh(`produce: ${error.message}`, [queue.topic.name])
    }
    return this.#judge(outbox, shipment, verdict, error, recordErrors(answer, queue.name))
  }

  // Batches of a transaction that is being aborted are not retried.
  #isLost(): boolean {
    return this.#transaction !== null && this.#transaction.isLost
  }

  // A leader that has the whole batch would not recognize its halves.
  #maySplit(batch: Batch): boolean {
    const isInDoubt = this.#identity !== null && batch.doubt === 'possibly-persisted'
    return batch.count > 1 && !batch.isSettled && !isInDoubt && !this.#isLost()
  }

  // The limits of broker and topic are unknown here; halving gets below them in the end.
  #split({ queue, batch }: Shipment): void {
    this.#context.logger.debug('msg', 'SPLIT', `${queue.name}: ${batch.count} messages were too large for one batch`)
    queue.settle()
    // Messages that have been reported are left out before it is sent again.
    queue.putBack(batch.reported > 0 ? [batch] : splitBatch(batch, batch.count >> 1))
  }

  #judge(
    outbox: Outbox,
    { queue, batch }: Shipment,
    verdict: Verdict,
    error: KafkaError,
    records: ReadonlyMap<number, KafkaError> | null,
  ): Outcome | null {
    if (batch.isSettled) {
      queue.settle()
      return null
    }
    if (verdict.inDoubt) {
      batch.doubt = 'possibly-persisted'
      batch.wasInDoubt = true
    }
    batch.lastError = error
    const { messageTimeoutMs, maxRetries } = this.#settings
    const { clock, logger, random } = this.#context
    const now = clock.now()
    if (verdict.counts) batch.retries++
    const isLate = now >= batch.lastAt + messageTimeoutMs
    if (verdict.retry && batch.retries <= maxRetries && !isLate && !this.#isLost()) {
      batch.failures++
      // If another leader is known already, it gets the batch at once.
      const hasMoved = verdict.refresh && queue.leader >= 0 && queue.leader !== outbox.brokerId
      const { backoffMs: base, backoffMaxMs } = this.#settings
      const pause = hasMoved ? 0 : (verdict.backoffMs ?? backoffMs(batch.failures, base, backoffMaxMs, random))
      queue.retry(batch, now + pause)
      const counters = this.#cluster.broker(outbox.brokerId)?.counters
      if (counters && verdict !== unsent) counters.txRetries++
      if (logger.enabled('msg')) {
        logger.debug('msg', 'RETRY', `${queue.name}: retry in ${Math.round(pause)} ms: ${error.name}: ${error.message}`)
      }
      return null
    }
    queue.settle()
    let reported = error
    if (records !== null) reported = KafkaError.of(ErrorCode.ERR__INVALID_DIFFERENT_RECORD, queue.name)
    else if (verdict.retry && isLate) reported = expiry(queue, messageTimeoutMs, error)
    else if (error.code === ErrorCode.ERR__TIMED_OUT) {
      reported = new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, error.message, { cause: error })
    }
    giveUp(this.#identity, queue, batch, records === null ? reported : error)
    return refused(batch.unpersisted, reported, records)
  }
}
