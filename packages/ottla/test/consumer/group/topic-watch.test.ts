import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { TopicWatch } from '../../../src/consumer/group/topic-watch.ts'
import { FakeClock } from '../../base/fake-clock.ts'

/** A watch over partition 2 of a topic, of which brokers tell as the test says. */
function watched(): {
  readonly clock: FakeClock
  readonly told: string[]
  readonly refreshes: () => number
  readonly answer: (partitions: number, errorCode?: number) => void
  readonly watch: TopicWatch
  assigned: { topic: string; partition: number }[]
} {
  const clock = new FakeClock()
  const topics = new Map<string, unknown>()
  const told: string[] = []
  let refreshes = 0
  const metadata = {
    snapshot: { topics },
    requestRefresh: (_: string, names: string[]) => {
      assert.deepEqual(names, ['t'])
      refreshes++
    },
  }
  const scene = { assigned: [{ topic: 't', partition: 2 }] }
  const tell = ({ code }: { code: number }, topic?: string): void => void told.push(`${code} ${topic ?? ''}`)
  const watch = new TopicWatch({ clock } as unknown as ClientContext, { metadata } as unknown as Cluster, {
    namedTopics: () => new Set(['t']),
    partitions: () => scene.assigned,
    onRecreated: topic => told.push(`anew ${topic}`),
    raise: tell,
    reject: tell,
  })
  return Object.assign(scene, {
    clock,
    told,
    refreshes: () => refreshes,
    answer(count: number, errorCode = 0) {
      const partitions = Array.from({ length: count }, () => ({}))
      topics.set('t', { errorCode, topicId: 'id', partitions, updatedAt: clock.now() })
      watch.check()
    },
    watch,
  })
}

const UNKNOWN = `${ErrorCode.ERR__UNKNOWN_PARTITION} t`

test('an assigned partition that metadata lacks for half a second is reported once', async () => {
  const { clock, told, refreshes, answer } = watched()
  answer(2)
  assert.deepEqual([told, refreshes()], [[], 1])
  await clock.advance(499)
  answer(2)
  assert.deepEqual([told, refreshes()], [[], 2])
  await clock.advance(1)
  answer(2)
  assert.deepEqual(told, [UNKNOWN])
  await clock.advance(5000)
  answer(2)
  assert.deepEqual([told, refreshes(), clock.pendingTimers], [[UNKNOWN], 2, 0])
})

test('an assignment that was ahead of the metadata is no missing partition', async () => {
  const { clock, told, refreshes, answer } = watched()
  answer(2)
  await clock.advance(400)
  answer(3)
  await clock.advance(5000)
  assert.deepEqual([told, refreshes(), clock.pendingTimers], [[], 1, 0])
  // Doubted from the beginning when it is missing later.
  answer(2)
  await clock.advance(400)
  answer(2)
  assert.deepEqual(told, [])
})

test('one response is not enough, however old it is: metadata is refreshed each second', async () => {
  const { clock, told, refreshes, answer, watch } = watched()
  answer(2)
  for (let i = 0; i < 10; i++) await clock.advance(1000)
  assert.deepEqual([told, refreshes()], [[], 11])
  answer(2)
  assert.deepEqual(told, [UNKNOWN])
  watch.stop()
})

test('a partition that is given up, or whose topic is unknown, is not doubted', async () => {
  const scene = watched()
  const { clock, told, answer } = scene
  answer(2)
  await clock.advance(400)
  answer(0, ErrorCode.ERR_LEADER_NOT_AVAILABLE)
  await clock.advance(400)
  answer(2)
  assert.deepEqual(told, [])
  scene.assigned = []
  await clock.advance(600)
  answer(2)
  assert.deepEqual([told, clock.pendingTimers], [[], 0])
})

test('a partition that was reported, came, and is missing again is reported again', async () => {
  const { clock, told, answer } = watched()
  for (let i = 0; i < 2; i++) {
    answer(2)
    await clock.advance(500)
    answer(2)
    answer(3)
  }
  assert.deepEqual(told, [UNKNOWN, UNKNOWN])
})
