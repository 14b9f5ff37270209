import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deadline } from '../../../src/base/clock.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { Closing } from '../../../src/consumer/read/closing.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

/** Something to close, which leaves as the test says. */
function closable(leave: (deadline: Deadline) => Promise<void>) {
  const clock = new FakeClock()
  const seen: string[] = []
  const logger = { warning: (_: string, text: string) => seen.push(text) }
  const closing = new Closing({ clock, logger, name: 'rdkafka#consumer-1' } as unknown as ClientContext, {
    unfinished: 'closed without having left',
    begin: () => void seen.push('begin'),
    leave: deadline => {
      seen.push(`leave within ${deadline.left()}`)
      return leave(deadline)
    },
    end: () => {
      seen.push('end')
      return Promise.resolve()
    },
  })
  return { clock, closing, seen }
}

test('it is closed once, whoever asks for it', async () => {
  const { closing, seen } = closable(() => Promise.resolve())
  assert.deepEqual([closing.isBegun, closing.deadline], [false, null])
  const first = closing.close(500)
  assert.equal(closing.close(1), first)
  await first
  assert.equal(closing.isBegun, true)
  assert.deepEqual(seen, ['begin', 'leave within 500', 'end'])
})

test('it ends at the timeout, and logs what was left undone', async () => {
  const { clock, closing, seen } = closable(() => new Promise(() => undefined))
  const closed = closing.close(500)
  await clock.advance(500)
  await closed
  assert.deepEqual(seen, ['begin', 'leave within 500', 'closed without having left: close timed out', 'end'])
})

test('a failure does not keep it from closing', async () => {
  const { closing, seen } = closable(() => Promise.reject(new Error('no coordinator')))
  await closing.close(undefined)
  assert.deepEqual(seen.slice(2), ['closed without having left: no coordinator', 'end'])
  const { code, message } = closing.error()
  assert.deepEqual([code, message], [ErrorCode.ERR__STATE, 'rdkafka#consumer-1 is closed'])
})
