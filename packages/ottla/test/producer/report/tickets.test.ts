import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { makeReport, refusal } from '../../../src/producer/report/report.ts'
import { ReportCollector, SendTicket } from '../../../src/producer/report/tickets.ts'
import { written } from '../../../src/producer/report/outcomes.ts'
import type { DeliveryReport } from '../../../src/types.ts'
import { makeBatch } from '../queues.ts'

function delivered(value: string): DeliveryReport {
  const { entries } = makeBatch(Number(value))
  const outcome = written('persisted', 5, -1, 0)
  return makeReport({ topic: 't', partition: 0, entries, from: 0, end: 1, wallOffset: 0, settledAt: 0, outcome }, 0)
}

test('a send rejects with an error that has the report, which does not show when printed', async () => {
  const ticket = new SendTicket()
  const cause = new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, 'late', { retriable: true, txnRequiresAbort: true })
  ticket.settle(refusal({ topic: 't', value: 'secret' }, cause))
  const error = await ticket.promise.catch((e: unknown) => e)
  assert.ok(error instanceof KafkaError)
  assert.deepEqual([error.code, error.isRetriable, error.txnRequiresAbort], [cause.code, true, true])
  assert.equal(error.report?.status, 'not-persisted')
  assert.ok(!Object.keys(error).includes('report'))
})

test('collected reports keep the order of the messages, whatever order they come in', async () => {
  const collector = new ReportCollector()
  const tickets = [collector.next(), collector.next(), collector.next()]
  tickets[2]?.settle(delivered('2'))
  const all = collector.all()
  tickets[0]?.settle(delivered('0'))
  tickets[1]?.settle(delivered('1'))
  assert.deepEqual(
    (await all).map(({ value }) => value),
    ['0', '1', '2'],
  )
})

test('no messages have no reports to wait for', async () => {
  assert.deepEqual(await new ReportCollector().all(), [])
})
