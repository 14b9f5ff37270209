import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorThrottle } from '../../src/observe/error-throttle.ts'

function begin(): { throttle: ErrorThrottle; at: (ms: number) => ErrorThrottle } {
  let now = 0
  const throttle = new ErrorThrottle({
    now: () => now,
    wallTime: () => now,
    setTimer: () => ({ cancel: () => undefined }),
  })
  return {
    throttle,
    at: ms => {
      now = ms
      return throttle
    },
  }
}

test('a lasting error is reported at once, and then less and less often, down to once a minute', () => {
  const { at } = begin()
  const reported = Array.from({ length: 1900 }, (_, i) => i * 100).filter(ms => at(ms).shouldReport('orders', 29))
  assert.deepEqual(reported, [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000])
})

test('another error of the same subject is reported at once, and so is the same one of another subject', () => {
  const { at } = begin()
  assert.equal(at(0).shouldReport('orders', 29), true)
  assert.equal(at(1).shouldReport('orders', 3), true)
  assert.equal(at(2).shouldReport('invoices', 29), true)
  assert.equal(at(3).shouldReport('invoices', 29), false)
})

test('an error that was resolved is reported at once when it comes back', () => {
  const { throttle, at } = begin()
  assert.equal(at(0).shouldReport('orders', 29), true)
  throttle.resolved('orders')
  assert.equal(at(1000).shouldReport('orders', 29), true)
  assert.equal(at(1500).shouldReport('orders', 29), false)
})

test('an error that comes and goes is reported less and less often', () => {
  const { throttle, at } = begin()
  let reported = 0
  for (let ms = 0; ms < 600_000; ms += 50) {
    if (at(ms).shouldReport('orders', 29)) reported++
    throttle.resolved('orders')
  }
  assert.ok(reported >= 10 && reported <= 17, `reported ${reported} times in ten minutes`)
})

test('any number of subjects does not fill the memory: the oldest is dropped', () => {
  const { at } = begin()
  for (let i = 0; i <= 1000; i++) at(0).shouldReport(`topic ${i}`, 3)
  assert.equal(at(0).shouldReport('topic 1000', 3), false)
  assert.equal(at(0).shouldReport('topic 0', 3), true)
})
