import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../../src/base/clock.ts'
import type { ClientContext } from '../../src/cluster/context.ts'
import { requestInRounds, worthAnotherRound } from '../../src/cluster/rounds.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'

/** Without jitter, 100 ms before the first retry. */
function contextOf(clock: FakeClock): ClientContext {
  const settings = { 'retry.backoff.ms': 100, 'retry.backoff.max.ms': 1000 }
  return { clock, random: () => 0.5, settings } as unknown as ClientContext // rounds need no more of it
}

test('only items that are still open are retried, with a growing backoff', async () => {
  const clock = new FakeClock()
  const start = clock.now()
  const rounds: [at: number, open: readonly number[]][] = []
  const result = requestInRounds(contextOf(clock), { deadline: Deadline.after(clock, 10_000) }, 3, {
    send: open => {
      rounds.push([clock.now() - start, open])
      return Promise.resolve(new Map(open.map(i => [i, rounds.length > i ? `answer ${i}` : 'not yet'])))
    },
    isOpen: answer => answer === 'not yet',
  })
  await settle()
  await clock.advance(100)
  await clock.advance(200)
  assert.deepEqual(await result, ['answer 0', 'answer 1', 'answer 2'])
  assert.deepEqual(rounds, [
    [0, [0, 1, 2]],
    [100, [1, 2]],
    [300, [2]],
  ])
})

test('the last results are kept if the deadline leaves no time for a backoff', async () => {
  const clock = new FakeClock()
  let asked = 0
  const result = await requestInRounds(contextOf(clock), { deadline: Deadline.after(clock, 50) }, 1, {
    send: () => Promise.resolve(new Map([[0, ++asked]])),
    isOpen: () => true,
  })
  assert.deepEqual(result, [1])
})

test('no request is sent for no items', async () => {
  const clock = new FakeClock()
  const result = await requestInRounds<number>(contextOf(clock), { deadline: Deadline.after(clock, 50) }, 0, {
    send: () => Promise.reject(new Error('asked')),
    isOpen: () => true,
  })
  assert.deepEqual(result, [])
})

test('a transient error is worth another round, an unknown topic two, a final error none', () => {
  assert.ok(worthAnotherRound(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, 100))
  assert.ok(worthAnotherRound(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 2))
  assert.ok(!worthAnotherRound(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 3))
  assert.ok(!worthAnotherRound(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 1))
})
