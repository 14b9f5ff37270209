import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Troubles } from '../../src/observe/troubles.ts'

function begin(): { troubles: Troubles; at: (ms: number) => Troubles } {
  let now = 0
  const troubles = new Troubles({
    now: () => now,
    wallTime: () => now,
    setTimer: () => ({ cancel: () => undefined }),
  })
  return {
    troubles,
    at: ms => {
      now = ms
      return troubles
    },
  }
}

test('an error that stands is told, and then ever more rarely, down to once a minute', () => {
  const { at } = begin()
  const told = Array.from({ length: 1900 }, (_, i) => i * 100).filter(ms => at(ms).isNews('orders', 29))
  assert.deepEqual(told, [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000])
})

test('another error of the same subject is news, and so is the same one of another subject', () => {
  const { at } = begin()
  assert.equal(at(0).isNews('orders', 29), true)
  assert.equal(at(1).isNews('orders', 3), true)
  assert.equal(at(2).isNews('invoices', 29), true)
  assert.equal(at(3).isNews('invoices', 29), false)
})

test('what has been over is news when it comes again', () => {
  const { troubles, at } = begin()
  assert.equal(at(0).isNews('orders', 29), true)
  troubles.over('orders')
  assert.equal(at(1000).isNews('orders', 29), true)
  assert.equal(at(1500).isNews('orders', 29), false)
})

test('what comes and goes is told ever more rarely', () => {
  const { troubles, at } = begin()
  let told = 0
  for (let ms = 0; ms < 600_000; ms += 50) {
    if (at(ms).isNews('orders', 29)) told++
    troubles.over('orders')
  }
  assert.ok(told >= 10 && told <= 17, `told ${told} times in ten minutes`)
})

test('subjects without number do not fill the memory: the oldest is forgotten', () => {
  const { at } = begin()
  for (let i = 0; i <= 1000; i++) at(0).isNews(`topic ${i}`, 3)
  assert.equal(at(0).isNews('topic 1000', 3), false)
  assert.equal(at(0).isNews('topic 0', 3), true)
})
