import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callers } from '../../src/base/call-stack.ts'

test('callers are known by name and place, awaiting ones included', async () => {
  const inner = async (): Promise<string[]> => {
    await new Promise(resolve => setImmediate(resolve))
    return callers().map(({ name }) => name)
  }
  async function outer(): Promise<string[]> {
    return await inner()
  }
  assert.deepEqual((await outer()).slice(0, 2), ['inner', 'outer'])
  const place = (): string | undefined => callers(1)[0]?.place
  assert.match(place() ?? '', /call-stack\.test\.ts:\d+:\d+$/)
  assert.equal(place(), place())
})

test("the application's settings of stack traces are restored", () => {
  const { stackTraceLimit } = Error
  const custom = (error: Error): string => `custom ${error.message}`
  try {
    Error.stackTraceLimit = 0
    Error.prepareStackTrace = custom
    assert.ok(callers().length > 1)
    assert.equal(Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')?.value, custom)
    assert.equal(Error.stackTraceLimit, 0)
    assert.equal(new Error('x').stack, 'custom x')
  } finally {
    Reflect.deleteProperty(Error, 'prepareStackTrace')
    Error.stackTraceLimit = stackTraceLimit
  }
  callers()
  assert.equal(Object.hasOwn(Error, 'prepareStackTrace'), false)
})
