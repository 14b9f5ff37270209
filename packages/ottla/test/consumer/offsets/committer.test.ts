import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName, type OffsetCommitRequest } from '@ottla/protocol'
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

/** What a coordinator gets, and what it says to it. */
type Coordinator = (offer: () => OffsetCommitRequest) => Promise<Record<number, number>>

function sceneWith(coordinator: Coordinator) {
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
  const events: string[] = []
  const group = {
    groupId: 'g',
    term: 1,
    generation: 1,
    isRejoining: false,
    committing: () => ({ groupId: 'g', generationId: group.generation, memberId: 'm' }),
    onRefused: (_: string, code: number) => void refusals.push(code),
  }
  const cluster = {
    request: async (_: unknown, __: unknown, body: (version: number) => OffsetCommitRequest) => {
      let request = body(9)
      const offer = (): OffsetCommitRequest => {
        request = body(9)
        const offsets = request.topics.flatMap(({ partitions }) =>
          partitions.map(({ partitionIndex, committedOffset }) => `[${partitionIndex}]=${committedOffset}`),
        )
        sent.push([request.generationIdOrMemberEpoch, ...offsets].join(' '))
        return request
      }
      const codes = await coordinator(offer)
      const topics = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codes[partitionIndex] ?? 0 })),
      }))
      return { throttleTimeMs: 0, topics }
    },
  }
  const context = {
    clock,
    counters: new ClientCounters(clock),
    events: {
      emit: ({ offsets }: { offsets: TopicPartitionOffset[] }) =>
        events.push(offsets.map(({ partition, offset }) => `[${partition}]=${offset}`).join(' ')),
    },
    logger: { debug: quiet },
    settings: { 'retry.backoff.ms': 10, 'retry.backoff.max.ms': 10 },
    random: () => 0.5,
  }
  const committer = new Committer(
    context as unknown as ClientContext,
    cluster as unknown as Cluster,
    group,
    assignment,
    () => null,
  )
  assignment.add([0, 1].map(partition => ({ topic: 't', partition, offset: 0 })))
  return {
    clock,
    group,
    sent,
    refusals,
    events,
    assignment,
    committer,
    release(partition: number): void {
      const cursors = assignment.require([{ topic: 't', partition }])
      assignment.remove(cursors)
      for (const { offsets } of cursors) offsets.isReleased = true
    },
    /** @param given null: what is stored */
    commit(given: TopicPartitionOffset[] | null, timeoutMs = 1000): Promise<string[]> {
      return committer.commit(committer.toCommit(given ?? undefined), Deadline.after(clock, timeoutMs)).then(
        results => results.map(({ partition, error }) => `[${partition}] ${error?.name ?? 'taken'}`),
        (error: unknown) => [(error as KafkaError).name],
      )
    },
  }
}

/** The coordinator refuses the first try, after which the test says what happens. */
function refusedOnce(meanwhile: () => void) {
  return sceneWith(async offer => {
    offer()
    await Promise.resolve()
    meanwhile()
    offer()
    return {}
  })
}

/** The coordinator answers when the test says so, with these codes of partitions. */
function heldUp() {
  const answers: ((codes: Record<number, number>) => void)[] = []
  const scene = sceneWith(offer => {
    offer()
    return new Promise(resolve => answers.push(resolve))
  })
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  const answer = async (codes: Record<number, number> = {}): Promise<void> => {
    answers.shift()?.(codes)
    await turn()
  }
  return { ...scene, turn, answer }
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

const at = (partition: number, offset: number): TopicPartitionOffset => ({ topic: 't', partition, offset })

test('calls that wait for one in flight share the next request: of a partition the last offset goes', async () => {
  const scene = heldUp()
  const first = scene.commit([at(0, 1)])
  await scene.turn()
  const calls = [[at(0, 2)], [at(1, 5)], [at(0, 3)]].map(offsets => scene.commit(offsets))
  await scene.turn()
  assert.deepEqual(scene.sent, ['1 [0]=1'])
  await scene.answer()
  assert.deepEqual(scene.sent, ['1 [0]=1', '1 [0]=3 [1]=5'])
  await scene.answer()
  assert.deepEqual(await Promise.all([first, ...calls]), [['[0] taken'], ['[0] taken'], ['[1] taken'], ['[0] taken']])
  // Each call has its event, in the order of the calls.
  assert.deepEqual(scene.events, ['[0]=1', '[0]=2', '[1]=5', '[0]=3'])
  assert.deepEqual(
    scene.assignment.cursors.map(({ offsets }) => [offsets.committed, offsets.isBeingCommitted]),
    [
      [3, false],
      [5, false],
    ],
  )
})

test('calls that share a request have the errors of their own partitions only', async () => {
  const scene = heldUp()
  const first = scene.commit([at(0, 1)])
  await scene.turn()
  const calls = [[at(0, 2)], [at(1, 2)], both].map(offsets => scene.commit(offsets))
  await scene.answer()
  await scene.answer({ 1: ErrorCode.ERR_OFFSET_METADATA_TOO_LARGE })
  assert.deepEqual(await first, ['[0] taken'])
  const TOO_LARGE = 'ERR_OFFSET_METADATA_TOO_LARGE'
  assert.deepEqual(await Promise.all(calls), [['[0] taken'], [TOO_LARGE], ['[0] taken', `[1] ${TOO_LARGE}`]])
})

test('calls of different memberships do not share their fate', async () => {
  const scene = heldUp()
  const first = scene.commit([at(0, 1)])
  await scene.turn()
  const before = scene.commit([at(0, 2)])
  scene.group.term++
  const behind = scene.commit([at(1, 2)])
  await scene.answer()
  await scene.answer()
  assert.deepEqual(await Promise.all([first, before, behind]), [
    ['[0] taken'],
    ['ERR_UNKNOWN_MEMBER_ID'],
    ['[1] taken'],
  ])
  assert.deepEqual(scene.sent, ['1 [0]=1', '1 [1]=2'])
})

test('a call whose time is over while it waits is not sent with the others', async () => {
  const scene = heldUp()
  const first = scene.commit([at(0, 1)])
  await scene.turn()
  const late = scene.commit([at(0, 2)], 10)
  const behind = scene.commit([at(1, 2)])
  await scene.clock.advance(20)
  assert.deepEqual(await late, ['ERR__TIMED_OUT'])
  await scene.answer()
  await scene.answer()
  assert.deepEqual(await Promise.all([first, behind]), [['[0] taken'], ['[1] taken']])
  assert.deepEqual(scene.sent, ['1 [0]=1', '1 [1]=2'])
})

for (const code of [ErrorCode.ERR_REBALANCE_IN_PROGRESS, ErrorCode.ERR_ILLEGAL_GENERATION]) {
  test(`a member that joins again tries until its commits are accepted: ${errorName(code)}`, async () => {
    const scene = heldUp()
    scene.group.isRejoining = true
    const commit = scene.commit(both)
    await scene.turn()
    await scene.answer({ 0: code, 1: code })
    scene.group.isRejoining = false
    scene.group.generation++
    await scene.clock.advance(50)
    await scene.turn()
    await scene.answer()
    assert.deepEqual(await commit, ['[0] taken', '[1] taken'])
    assert.deepEqual(scene.sent, ['1 [0]=5 [1]=5', '2 [0]=5 [1]=5'])
    // It knows already.
    assert.deepEqual(scene.refusals, [])
  })

  test(`a member at rest is told, and the call fails: ${errorName(code)}`, async () => {
    const scene = heldUp()
    const commit = scene.commit(both)
    await scene.turn()
    await scene.answer({ 0: code, 1: code })
    assert.deepEqual(await commit, [errorName(code)])
    assert.deepEqual(scene.refusals, [code])
  })
}

test('what is given up waits for commits of partitions that are not assigned any more, too', async () => {
  const scene = heldUp()
  const cursors = scene.assignment.require([{ topic: 't', partition: 0 }])
  scene.assignment.remove(cursors)
  const commit = scene.commit([at(0, 2)])
  let isOver = false
  const ended = scene.committer.ended(cursors, Deadline.after(scene.clock, 1000)).then(() => (isOver = true))
  await scene.turn()
  assert.equal(isOver, false)
  await scene.answer()
  await ended
  assert.deepEqual(await commit, ['[0] taken'])
})
