import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadline } from '../../../src/base/clock.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import { fetchCommitted, type CommittedOptions } from '../../../src/consumer/offsets/committed-offsets.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { OFFSET_INVALID } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

interface Sent {
  readonly body: (version: number) => Record<string, unknown>
  readonly errorOf: (response: object) => number
}

/** The answer of a coordinator to one request, and the request itself. */
async function asked(response: object, options: Partial<CommittedOptions> = {}) {
  let sent: Sent | null = null
  const cluster = {
    request: (_target: object, _api: object, body: Sent['body'], { errorOf }: Pick<Sent, 'errorOf'>) => {
      sent = { body, errorOf }
      return Promise.resolve({ groups: [], topics: [], errorCode: 0, ...response })
    },
  } as unknown as Cluster
  const deadline = Deadline.after(new FakeClock(), 1000)
  const partitions = [1, 0].map(partition => ({ topic: 't', partition }))
  const results = await fetchCommitted(cluster, 'g', partitions, { deadline, requireStable: false, ...options })
  assert.ok(sent)
  return { results, sent: sent as Sent }
}

const partition = (partitionIndex: number, committedOffset: number, errorCode = 0) => ({
  partitionIndex,
  committedOffset,
  committedLeaderEpoch: committedOffset < 0 ? -1 : 4,
  metadata: null,
  errorCode,
})

test('offsets come in the order of the question, whatever the order of the answer', async () => {
  const { results } = await asked({ topics: [{ name: 't', partitions: [partition(0, 7), partition(1, -1)] }] })
  assert.deepEqual(results, [
    { topic: 't', partition: 1, offset: OFFSET_INVALID, metadata: null },
    { topic: 't', partition: 0, offset: 7, metadata: null, leaderEpoch: 4 },
  ])
})

test('a partition that is refused, or left out, is an error and never "nothing committed"', async () => {
  const refused = partition(0, -1, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const { results } = await asked({ groups: [{ errorCode: 0, topics: [{ name: 't', partitions: [refused] }] }] })
  assert.deepEqual(
    results.map(({ error }) => error?.code),
    [ErrorCode.ERR__BAD_MSG, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED],
  )
})

test("the group's error is that of the call", async () => {
  const code = ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
  await assert.rejects(asked({ groups: [{ errorCode: code, topics: [] }] }), { code })
  await assert.rejects(asked({ errorCode: code }), { code, message: /^the committed offsets of group 'g'/ })
})

test('a request names the member only where brokers know it, in each attempt the current one', async () => {
  let memberEpoch = 3
  const { sent } = await asked(
    { groups: [{ errorCode: 0, topics: [] }] },
    {
      requireStable: true,
      membership: () => ({ memberId: 'm', memberEpoch }),
    },
  )
  const topics = [{ name: 't', partitionIndexes: [1, 0] }]
  assert.deepEqual(sent.body(9), {
    groups: [{ groupId: 'g', topics, memberId: 'm', memberEpoch: 3 }],
    requireStable: true,
  })
  memberEpoch = 4
  assert.deepEqual((sent.body(9)['groups'] as object[])[0], { groupId: 'g', topics, memberId: 'm', memberEpoch: 4 })
  assert.deepEqual(sent.body(8), { groups: [{ groupId: 'g', topics }], requireStable: true })
  assert.deepEqual(sent.body(7), { groupId: 'g', topics, requireStable: true })
  assert.deepEqual(sent.body(6), { groupId: 'g', topics })
})

test('offsets of open transactions, and a stale epoch, are retried; the epoch is reported', async () => {
  const stale: number[] = []
  const { sent } = await asked({}, { onStale: code => stale.push(code) })
  const answer = (errorCode: number, code = 0): object => ({
    groups: [{ errorCode, topics: [{ name: 't', partitions: [partition(0, -1, code)] }] }],
  })
  const unstable = ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT
  assert.equal(sent.errorOf(answer(0, unstable)), unstable)
  assert.equal(sent.errorOf(answer(0, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)), 0)
  assert.deepEqual(stale, [])
  assert.equal(sent.errorOf(answer(ErrorCode.ERR_STALE_MEMBER_EPOCH)), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.deepEqual(stale, [ErrorCode.ERR_STALE_MEMBER_EPOCH])
})
