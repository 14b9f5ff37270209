import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { RebalanceCalls, type Call } from '../../../src/consumer/group/rebalance-calls.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import type { RebalanceEvent, TopicPartition } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const [P0, P1, P2] = [0, 1, 2].map(partition => ({ topic: 't', partition })) as [
  TopicPartition,
  TopicPartition,
  TopicPartition,
]

function scene(protocol: RebalanceEvent['protocol']) {
  const seen: string[] = []
  const errors: string[] = []
  const shown = (list: readonly TopicPartition[]): string => list.map(({ partition }) => partition).join()
  let assigned: TopicPartition[] = []
  const context = {
    logger: { error: (_: string, text: string) => errors.push(text) },
    events: { emit: ({ event }: { event: RebalanceEvent }) => seen.push(`event ${event.type}`) },
  }
  const calls = new RebalanceCalls(context as unknown as ClientContext, protocol, {
    partitions: () => assigned,
    assign: (partitions, adds) => {
      seen.push(`${adds ? 'add' : 'assign'} ${shown(partitions)}`)
      assigned = adds ? [...assigned, ...partitions] : [...partitions]
      return Promise.resolve()
    },
    release: (partitions, lost) => {
      seen.push(`${lost ? 'drop' : 'release'} ${shown(partitions)}`)
      const gone = new Set(partitions.map(({ partition }) => partition))
      assigned = assigned.filter(({ partition }) => !gone.has(partition))
      return Promise.resolve()
    },
    onCallbacks: () => undefined,
    runningJobs: new RunningJobs(new FakeClock(), 1000),
  })
  calls.callback = ({ type, partitions }) => void seen.push(`${type} ${shown(partitions)}`)
  const runAll = async (): Promise<string[]> => {
    for (let call: Call | undefined = calls.take(); call !== undefined; call = calls.take()) await calls.run(call)
    return seen.splice(0)
  }
  return { calls, errors, runAll }
}

test('what the callback does not do itself the client does afterwards: all at once under EAGER', async () => {
  const { calls, runAll } = scene('EAGER')
  calls.add('assign', [P0, P1])
  assert.deepEqual(await runAll(), ['assign 0,1', 'assign 0,1', 'event assign'])
  calls.add('revoke', [P0, P1])
  assert.deepEqual(await runAll(), ['revoke 0,1', 'release 0,1', 'event revoke'])
})

test('the other protocols add and release only what has changed', async () => {
  const { calls, runAll } = scene('COOPERATIVE')
  calls.add('assign', [P0, P1])
  calls.add('revoke', [P0])
  calls.add('assign', [P2])
  const done = await runAll()
  assert.deepEqual(
    done.filter(step => !step.startsWith('event')),
    ['assign 0,1', 'add 0,1', 'revoke 0', 'release 0', 'assign 2', 'add 2'],
  )
  assert.deepEqual(calls.held(), [P1, P2])
})

test('a callback that assigns itself is left alone, but revoked partitions always go', async () => {
  for (const protocol of ['EAGER', 'COOPERATIVE'] as const) {
    const { calls, runAll } = scene(protocol)
    calls.callback = () => calls.touched()
    calls.add('assign', [P0])
    calls.add('revoke', [P0])
    const released = protocol === 'EAGER' ? [] : ['release 0']
    assert.deepEqual(await runAll(), ['event assign', ...released, 'event revoke'], protocol)
  }
})

test('a callback that throws is logged, and the client does its part', async () => {
  const { calls, errors, runAll } = scene('CONSUMER')
  calls.callback = () => {
    throw new Error('in the callback')
  }
  calls.add('assign', [P0])
  assert.deepEqual(await runAll(), ['add 0', 'event assign'])
  assert.match(errors[0] ?? '', /the rebalance callback threw.*in the callback/)
})

test('a loss takes the place of a revoke that the application has not got yet', async () => {
  const { calls, runAll } = scene('COOPERATIVE')
  calls.add('assign', [P0, P1])
  await runAll()
  calls.add('revoke', [P0])
  calls.lose()
  assert.equal(calls.isLost, true)
  assert.deepEqual(await runAll(), ['lost 0,1', 'drop 0,1', 'event lost'])
  assert.deepEqual([calls.isLost, calls.held()], [false, []])
})

test('assignments that the application has not got yet can be dropped, with the wish to join', async () => {
  const { calls, runAll } = scene('COOPERATIVE')
  let joins = 0
  calls.addJoin(() => joins++)
  calls.add('revoke', [P0])
  calls.add('assign', [P1])
  calls.dropAssigns()
  assert.deepEqual(await runAll(), ['revoke 0', 'release 0', 'event revoke'])
  assert.equal(joins, 0)
  calls.addJoin(() => joins++)
  await runAll()
  assert.equal(joins, 1)
})
