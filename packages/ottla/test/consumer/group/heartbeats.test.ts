import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import type { Deadline } from '../../../src/base/clock.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { Heartbeats, type HeartbeatAnswer } from '../../../src/consumer/group/heartbeats.ts'
import { KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const BACKOFF_MS = 100
const INTERVAL_MS = 3000
const quiet = (): void => undefined

const answerOf = (errorCode: number): HeartbeatAnswer => ({ errorCode, errorMessage: null })
const taken = answerOf(ErrorCode.ERR_NO_ERROR)

/** A member whose coordinator answers as the test says; what happens to it is written down. */
function member(answers: (HeartbeatAnswer | KafkaError)[] = []) {
  const clock = new FakeClock()
  const seen: string[] = []
  const state = { isJoining: true, isActive: true, maySend: true, hold: null as Promise<void> | null, isCutOff: false }
  const settings = { 'retry.backoff.ms': BACKOFF_MS, 'retry.backoff.max.ms': BACKOFF_MS }
  const context = { clock, settings, random: () => 0.5, logger: { debug: quiet, error: quiet } }
  const cluster = {
    get isCutOff() {
      return state.isCutOff
    },
  }
  const heartbeats = new Heartbeats(context as unknown as ClientContext, cluster as unknown as Cluster, {
    api: 'ConsumerGroupHeartbeat',
    groupName: "group 'g'",
    isJoining: () => state.isJoining,
    isActive: () => state.isActive,
    maySend: () => state.maySend,
    send: async () => {
      seen.push('sent')
      await state.hold
      const answer = answers.shift() ?? taken
      if (answer instanceof KafkaError) throw answer
      return answer
    },
    onAccepted: () => {
      seen.push('taken')
      state.isJoining = false
      heartbeats.plan(INTERVAL_MS)
    },
    forgetSent: () => void seen.push('forgets'),
    onLost: () => {
      seen.push('lost')
      state.isJoining = true
      heartbeats.endMembership()
      heartbeats.begin()
    },
    onRefused: () => {
      seen.push('refused')
      state.isActive = false
    },
    matchInClient: () => false,
    raise: ({ name, isFatal }) => void seen.push(isFatal ? `fatal ${name}` : name),
  })
  return Object.assign(state, { clock, heartbeats, seen })
}

test('heartbeats follow each other at intervals', async () => {
  const { clock, heartbeats, seen } = member()
  heartbeats.kick()
  await clock.advance(0)
  assert.deepEqual(seen, ['sent', 'taken'])
  await clock.advance(INTERVAL_MS * 2)
  assert.deepEqual(seen, ['sent', 'taken', 'sent', 'taken', 'sent', 'taken'])
})

test('one heartbeat at a time: kicks meanwhile lead to one more, right after it', async () => {
  const scene = member()
  let release = quiet
  scene.hold = new Promise(resolve => (release = resolve))
  scene.heartbeats.kick()
  await scene.clock.advance(0)
  scene.heartbeats.kick()
  scene.heartbeats.kick()
  await scene.clock.advance(0)
  assert.deepEqual(scene.seen, ['sent'])
  release()
  await scene.clock.advance(0)
  assert.deepEqual(scene.seen, ['sent', 'taken', 'sent', 'taken'])
})

test('a transient error is retried after a pause, and the retry says everything', async () => {
  const { clock, heartbeats, seen } = member([answerOf(ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS)])
  heartbeats.kick()
  await clock.advance(0)
  assert.deepEqual(seen, ['sent', 'forgets'])
  await clock.advance(BACKOFF_MS * 2)
  assert.deepEqual(seen, ['sent', 'forgets', 'sent', 'taken'])
})

test('an error that an administrator may fix is reported once, and retried', async () => {
  const denied = answerOf(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  const { clock, heartbeats, seen } = member([denied, denied])
  heartbeats.kick()
  await clock.advance(BACKOFF_MS * 4)
  assert.deepEqual(seen, ['sent', 'ERR_GROUP_AUTHORIZATION_FAILED', 'forgets', 'sent', 'forgets', 'sent', 'taken'])
})

test('a fatal error ends them', async () => {
  const { clock, heartbeats, seen } = member([answerOf(ErrorCode.ERR_FENCED_INSTANCE_ID)])
  heartbeats.kick()
  await clock.advance(INTERVAL_MS)
  assert.deepEqual(seen, ['sent', 'fatal ERR_FENCED_INSTANCE_ID', 'refused'])
})

test('a lost membership is followed by the next one at once; when that does not last either, after a pause', async () => {
  const lost = answerOf(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  const { clock, heartbeats, seen } = member([taken, lost, taken, lost])
  heartbeats.kick()
  await clock.advance(INTERVAL_MS)
  assert.deepEqual(seen.splice(0), ['sent', 'taken', 'sent', 'lost', 'sent', 'taken'])
  await clock.advance(INTERVAL_MS)
  assert.deepEqual(seen.splice(0), ['sent', 'lost', 'forgets'])
  await clock.advance(BACKOFF_MS * 2)
  assert.deepEqual(seen, ['sent', 'taken'])
})

test('an answer to an earlier membership counts for nothing', async () => {
  const scene = member([answerOf(ErrorCode.ERR_FENCED_INSTANCE_ID)])
  let release = quiet
  scene.hold = new Promise(resolve => (release = resolve))
  scene.heartbeats.kick()
  await scene.clock.advance(0)
  scene.heartbeats.endMembership()
  release()
  await scene.clock.advance(INTERVAL_MS)
  assert.deepEqual(scene.seen, ['sent'])
})

test('no heartbeat overtakes the leave request', async () => {
  const { clock, heartbeats, seen } = member()
  let said = quiet
  heartbeats.leave(() => new Promise<void>(resolve => (said = resolve)))
  heartbeats.kick()
  await clock.advance(0)
  assert.deepEqual(seen, [])
  said()
  await clock.advance(0)
  assert.deepEqual(seen, ['sent', 'taken'])
})

test('the leave request waits longer for a coordinator that has answered before, and is not sent when no broker can be reached', async () => {
  const scene = member()
  const limits: number[] = []
  const say = (deadline: Deadline): Promise<void> => {
    limits.push(deadline.left())
    return Promise.reject(new KafkaError(ErrorCode.ERR__TIMED_OUT, 'too late'))
  }
  scene.heartbeats.leave(say)
  await scene.heartbeats.leaving
  scene.heartbeats.isKnown = true
  scene.heartbeats.leave(say)
  scene.heartbeats.isKnown = false
  scene.isCutOff = true
  scene.heartbeats.leave(say)
  await scene.heartbeats.leaving
  assert.deepEqual(limits, [1000, 5000])
})

test('a heartbeat that may not be sent yet is not sent', async () => {
  const scene = member()
  scene.maySend = false
  scene.heartbeats.kick()
  await scene.clock.advance(INTERVAL_MS)
  assert.deepEqual(scene.seen, [])
})
