import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { AcknowledgeResults } from '../../../src/consumer/share/acknowledge-results.ts'
import { AUTO_RELEASE, AUTO_RENEW, acknowledgeTypes } from '../../../src/consumer/share/acknowledgements.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { sourceOf } from './locked.ts'

const { accept, gap, release } = acknowledgeTypes
const failure = KafkaError.of(ErrorCode.ERR_INVALID_RECORD_STATE, 't [0]')

function scene(hasListener = true) {
  const events: unknown[] = []
  const logged: string[] = []
  const context = {
    events: {
      hasListener: () => hasListener,
      emit: (event: unknown) => {
        events.push(event)
        return hasListener
      },
    },
    logger: { warning: (_: string, text: string) => logged.push(text) },
  }
  return { results: new AcknowledgeResults(context as unknown as ClientContext), events, logged }
}

test('an event names the offsets that the application has acknowledged, and no others', () => {
  const { results, events } = scene()
  const types = [
    [1, accept],
    [2, gap],
    [3, AUTO_RENEW],
    [4, AUTO_RELEASE],
    [5, release],
  ] as const
  results.add(sourceOf(), new Map(types), null)
  assert.deepEqual(events, [{ type: 'acknowledged', offsets: [1, 5], topic: 't', partition: 0 }])
  results.add(sourceOf(), new Map([[3, AUTO_RENEW]]), failure)
  assert.equal(events.length, 1, "the consumer's own renewals are not reported, even when they fail")
})

test('without a listener only failures are worth a log line', () => {
  const { results, logged } = scene(false)
  results.add(sourceOf(), new Map([[1, accept]]), null)
  assert.deepEqual(logged, [])
  const two = [
    [1, accept],
    [2, accept],
  ] as const
  results.add(sourceOf(), new Map(two), failure)
  assert.deepEqual(logged, [`2 messages: ${failure.message}`])
})

test('a commit gets one result per partition, the failure if there is one, and only of its own time', async () => {
  const { results } = scene()
  results.add(sourceOf(2), new Map([[1, accept]]), null)
  let end: () => void = () => undefined
  const collected = results.during(new Promise<void>(resolve => (end = resolve)))
  results.add(sourceOf(0), new Map([[1, accept]]), null)
  results.add(sourceOf(0), new Map([[2, accept]]), failure)
  results.add(sourceOf(0), new Map([[3, accept]]), null)
  results.add(sourceOf(1), new Map([[1, release]]), null)
  end()
  assert.deepEqual(await collected, [
    { topic: 't', partition: 0, error: failure },
    { topic: 't', partition: 1 },
  ])
})
