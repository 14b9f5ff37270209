import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { intercepting } from '../../../src/consumer/read/interceptors.ts'
import { ErrorCode } from '../../../src/errors.ts'
import type { Message } from '../../../src/types.ts'

const message = { topic: 't', partition: 0, offset: 5, value: 'v' } as unknown as Message<unknown, unknown>

function contextOf(): { context: ClientContext; logged: string[]; emit: (event: unknown) => void } {
  const logged: string[] = []
  const log = (_: string, text: string): number => logged.push(text)
  const listeners: ((event: unknown) => void)[] = []
  const context = {
    logger: { error: log, debug: (context: string, _: string, text: string) => log(context, text) },
    events: { on: (_: string, listener: (event: unknown) => void) => listeners.push(listener) },
  }
  return { context: context as unknown as ClientContext, logged, emit: event => listeners.forEach(each => each(event)) }
}

test('each interceptor gets what the one before has made', () => {
  const { context } = contextOf()
  const append = (text: string) => (given: Message<unknown, unknown>) => ({
    ...given,
    value: `${String(given.value)}${text}`,
  })
  const intercept = intercepting(context, [
    { onConsume: append('1') },
    { onConsume: () => undefined },
    { onConsume: append('2') },
  ])
  assert.equal(intercept?.(message).value, 'v12')
})

test('what throws, or returns another message, is logged and changes nothing', () => {
  const { context, logged } = contextOf()
  const intercept = intercepting(context, [
    {
      onConsume: () => {
        throw new Error('in the interceptor')
      },
    },
    { onConsume: () => ({ ...message, offset: 6 }) },
    { onConsume: () => null },
  ])
  assert.equal(intercept?.(message), message)
  assert.match(logged.join('\n'), /in the interceptor/)
  assert.match(logged.join('\n'), /it must return a message of the same offset, or undefined/)
})

test('commits are seen with their error, by all interceptors', () => {
  const { context, emit, logged } = contextOf()
  const seen: unknown[] = []
  const failing = {
    onCommit: () => {
      throw new Error('in the first')
    },
  }
  const none = intercepting(context, [failing, { onCommit: (...args: unknown[]) => seen.push(args) }])
  assert.equal(none, null, 'none wants messages')
  emit({ offsets: [1], error: 'why' })
  assert.deepEqual(seen, [[[1], 'why']])
  assert.match(logged[0] ?? '', /in the first/)
})

test('an interceptor is an object', () => {
  assert.throws(() => intercepting(contextOf().context, [null]), { code: ErrorCode.ERR__INVALID_ARG })
})
