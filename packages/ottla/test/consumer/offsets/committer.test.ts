import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OffsetCommitRequest } from '@ottla/protocol'
import { Deadline } from '../../../src/base/clock.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import type { MetadataCache } from '../../../src/cluster/metadata.ts'
import { Assignment } from '../../../src/consumer/partition/assignment.ts'
import { Committer } from '../../../src/consumer/offsets/committer.ts'
import type { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { FetchQueue, queueLimits } from '../../../src/consumer/fetch/fetch-queue.ts'
import type { ConsumerSettings } from '../../../src/config/resolve.ts'
import type { KafkaError } from '../../../src/errors.ts'
import { ClientCounters } from '../../../src/observe/statistics/counters.ts'
import type { TopicPartitionOffset } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const quiet = (): void => undefined

/** A committer whose coordinator refuses the first try, after which the test says what happens. */
function refusedOnce(meanwhile: () => void) {
  const clock = new FakeClock()
  const queue = new FetchQueue(queueLimits({} as ConsumerSettings), {
    onReady: quiet,
    onRoom: quiet,
    onEnd: quiet,
    onGap: quiet,
    onCorrupt: quiet,
  })
  const assignment = new Assignment({ want: quiet, unwant: quiet } as unknown as MetadataCache, queue, true)
  const sent: string[] = []
  const refusals: number[] = []
  const group = {
    groupId: 'g',
    term: 1,
    generation: 1,
    committing: () => ({ groupId: 'g', generationId: group.generation, memberId: 'm' }),
    onRefused: (_: string, code: number) => void refusals.push(code),
  }
  const cluster = {
    request: async (_: unknown, __: unknown, body: (version: number) => OffsetCommitRequest) => {
      const offer = (): OffsetCommitRequest => {
        const request = body(9)
        const offsets = request.topics.flatMap(({ partitions }) =>
          partitions.map(({ partitionIndex, committedOffset }) => `[${partitionIndex}]=${committedOffset}`),
        )
        sent.push([request.generationIdOrMemberEpoch, ...offsets].join(' '))
        return request
      }
      offer()
      await Promise.resolve()
      meanwhile()
      const topics = offer().topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
      }))
      return { throttleTimeMs: 0, topics }
    },
  }
  const context = {
    clock,
    counters: new ClientCounters(clock),
    events: { emit: quiet },
    logger: { debug: quiet },
    settings: {},
  }
  const committer = new Committer(context as unknown as ClientContext, cluster as unknown as Cluster, group, assignment)
  assignment.add([0, 1].map(partition => ({ topic: 't', partition, offset: 0 })))
  return {
    group,
    sent,
    refusals,
    assignment,
    release(partition: number): void {
      const cursors = assignment.require([{ topic: 't', partition }])
      assignment.remove(cursors)
      for (const { offsets } of cursors) offsets.isReleased = true
    },
    /** @param given null: what is stored */
    commit(given: TopicPartitionOffset[] | null): Promise<string[]> {
      return committer.commit(committer.toCommit(given ?? undefined), Deadline.after(clock, 1000)).then(
        results => results.map(({ partition, error }) => `[${partition}] ${error?.name ?? 'taken'}`),
        (error: unknown) => [(error as KafkaError).name],
      )
    },
  }
}

const OUT = 'ERR_ILLEGAL_GENERATION'
const both = [0, 1].map(partition => ({ topic: 't', partition, offset: 5 }))

for (const [what, given] of [
  ['stored', null],
  ['given', both],
] as const) {
  test(`what was given up between two attempts is not committed, the rest is: ${what} offsets`, async () => {
    const scene = refusedOnce(() => {
      scene.release(1)
      scene.group.generation++
    })
    for (const { offsets } of scene.assignment.cursors) offsets.store(5, -1)
    assert.deepEqual(await scene.commit(given), ['[0] taken', `[1] ${OUT}`])
    assert.deepEqual(scene.sent, ['1 [0]=5 [1]=5', '2 [0]=5'])
    // Nobody but this client has said so: the membership is as it was.
    assert.deepEqual(scene.refusals, [])
  })

  test(`what was released and assigned again is not committed as before: ${what} offsets`, async () => {
    let again: Cursor | undefined
    const scene = refusedOnce(() => {
      for (const partition of [0, 1]) scene.release(partition)
      scene.assignment.add([{ topic: 't', partition: 1, offset: 7 }])
      again = scene.assignment.get('t', 1)
      scene.group.generation++
    })
    for (const { offsets } of scene.assignment.cursors) offsets.store(5, -1)
    assert.deepEqual(await scene.commit(given), [OUT])
    assert.deepEqual(scene.sent, ['1 [0]=5 [1]=5'])
    assert.equal(again?.offsets.committed, -1001)
  })
}

test('a commit from within a membership is not sent without one', async () => {
  const scene = refusedOnce(() => {
    for (const partition of [0, 1]) scene.release(partition)
    scene.group.generation = -1
  })
  assert.deepEqual(await scene.commit(both), [OUT])
})

test('a commit of a membership that has ended is refused', async () => {
  const scene = refusedOnce(() => scene.group.term++)
  assert.deepEqual(await scene.commit(both), ['ERR_UNKNOWN_MEMBER_ID'])
})

test('without a membership a partition that was released is committed all the same', async () => {
  const scene = refusedOnce(() => scene.release(1))
  scene.group.generation = -1
  assert.deepEqual(await scene.commit(both), ['[0] taken', '[1] taken'])
  assert.deepEqual(scene.sent, ['-1 [0]=5 [1]=5', '-1 [0]=5 [1]=5'])
})

test('a member epoch that is replaced concerns nothing that is still assigned', async () => {
  const scene = refusedOnce(() => scene.group.generation++)
  assert.deepEqual(await scene.commit(both), ['[0] taken', '[1] taken'])
  assert.deepEqual(scene.sent, ['1 [0]=5 [1]=5', '2 [0]=5 [1]=5'])
})

test('what is not assigned is committed in the generation of the call, and in no other', async () => {
  const foreign = [{ topic: 't', partition: 7, offset: 5 }]
  const same = refusedOnce(quiet)
  assert.deepEqual(await same.commit(foreign), ['[7] taken'])
  const other = refusedOnce(() => other.group.generation++)
  assert.deepEqual(await other.commit(foreign), [OUT])
  const before = refusedOnce(() => (before.group.generation = 1))
  before.group.generation = -1
  assert.deepEqual(await before.commit(foreign), ['[7] taken'])
})
