import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../src/errors.ts'
import { ErrorThrottle, repeatsInWords } from '../../src/observe/error-throttle.ts'

const error = (code: number): KafkaError => KafkaError.of(code, 'orders')

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
  const reported = Array.from({ length: 1900 }, (_, i) => i * 100).filter(ms =>
    at(ms).shouldReport('orders', error(29)),
  )
  assert.deepEqual(reported, [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000])
})

test('another error of the same subject is reported at once, and so is the same one of another subject', () => {
  const { at } = begin()
  assert.equal(at(0).shouldReport('orders', error(29)), true)
  assert.equal(at(1).shouldReport('orders', error(3)), true)
  assert.equal(at(2).shouldReport('invoices', error(29)), true)
  assert.equal(at(3).shouldReport('invoices', error(29)), false)
})

test('an error that was resolved is reported at once when it comes back', () => {
  const { throttle, at } = begin()
  assert.equal(at(0).shouldReport('orders', error(29)), true)
  throttle.resolved('orders')
  assert.equal(at(1000).shouldReport('orders', error(29)), true)
  assert.equal(at(1500).shouldReport('orders', error(29)), false)
})

test('an error that comes and goes is reported less and less often', () => {
  const { throttle, at } = begin()
  let reported = 0
  for (let ms = 0; ms < 600_000; ms += 50) {
    if (at(ms).shouldReport('orders', error(29))) reported++
    throttle.resolved('orders')
  }
  assert.ok(reported >= 10 && reported <= 17, `reported ${reported} times in ten minutes`)
})

test('those that are not reported are counted, and the next one that is says how many there were', () => {
  const { at } = begin()
  const words: string[] = []
  for (let ms = 0; ms <= 3000; ms += 250) {
    const found = error(29)
    if (at(ms).shouldReport('orders', found)) words.push(repeatsInWords(found))
  }
  assert.deepEqual(words, ['', ' (3 more times within 1 s)', ' (7 more times within 2 s)'])
  const other = error(3)
  assert.ok(at(3001).shouldReport('orders', other))
  assert.equal(repeatsInWords(other), '', 'another error')
})

test('any number of subjects does not fill the memory: the oldest is dropped', () => {
  const { at } = begin()
  for (let i = 0; i <= 1000; i++) at(0).shouldReport(`topic ${i}`, error(3))
  assert.equal(at(0).shouldReport('topic 1000', error(3)), false)
  assert.equal(at(0).shouldReport('topic 0', error(3)), true)
})
