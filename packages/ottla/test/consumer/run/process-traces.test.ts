import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import type { ChannelClient, ProcessPayload } from '../../../src/observe/channel-payloads.ts'
import { tracedBatch, tracedMessage } from '../../../src/consumer/run/process-traces.ts'
import type { Message } from '../../../src/types.ts'

const START = 'tracing:ottla:process:start'
const client: ChannelClient = { name: 'c', kind: 'consumer', clientId: 'c', groupId: 'g', transactionalId: null }

/** A subscriber that calls every handler within a context of its own. */
function wrapAll(t: TestContext): { readonly within: number } {
  const counts = { within: 0 }
  const listener = (payload: unknown): void => {
    const wrap = <T>(call: () => T): T => {
      counts.within++
      return call()
    }
    Object.assign(payload as ProcessPayload, { within: wrap })
  }
  subscribe(START, listener)
  t.after(() => unsubscribe(START, listener))
  return counts
}

const message = { topic: 't', partition: 0, offset: 7 } as unknown as Message<unknown, unknown>
const batch = Object.assign([message], { topic: 't', partition: 0, firstOffset: 7 })

for (const [what, result] of [
  ['nothing', undefined],
  ['a promise', Promise.resolve()],
] as const) {
  test(`a handler that returns ${what} is called once, within what a subscriber has set`, async t => {
    const counts = wrapAll(t)
    let calls = 0
    const handle = (): void | Promise<void> => {
      calls++
      return result
    }
    await tracedMessage(client, message, 1, handle)()
    assert.deepEqual([calls, counts.within], [1, 1])
    await tracedBatch(client, batch, 1, handle)()
    assert.deepEqual([calls, counts.within], [2, 2])
  })
}

test('without subscribers a handler is called as it is', () => {
  const handle = (): void => undefined
  assert.equal(tracedMessage(client, message, 1, handle), handle)
  assert.equal(tracedBatch(client, batch, 1, handle), handle)
})
