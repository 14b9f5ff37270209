import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../../src/simulation/virtual-time.ts'

test('timers are called when they are due, in the order in which they were set', async () => {
  const time = new VirtualTime()
  const called: string[] = []
  const note = (name: string) => (): void => void called.push(`${name} at ${time.now}`)
  time.setTimer(20, note('late'))
  time.setTimer(10, note('first'))
  time.setTimer(10, note('second'))
  time.setTimer(10, note('never')).cancel()
  assert.equal(time.waitingTimers, 3)
  await time.advance(15)
  assert.deepEqual(called, ['first at 10', 'second at 10'])
  assert.equal(time.now, 15)
  await time.advance(5)
  assert.deepEqual(called.at(-1), 'late at 20')
  assert.equal(time.waitingTimers, 0)
})

test('time passes only when all that can happen has happened', async () => {
  const time = new VirtualTime()
  const happened: string[] = []
  time.setTimer(1, () => {
    void (async () => {
      for (let i = 0; i < 100; i++) await Promise.resolve()
      happened.push(`promises at ${time.now}`)
    })()
  })
  time.setTimer(2, () => happened.push(`timer at ${time.now}`))
  await time.advance(2)
  assert.deepEqual(happened, ['promises at 1', 'timer at 2'])
})

test('before a long rest, what takes several turns of the event loop has had them', async () => {
  const time = new VirtualTime()
  const ended: number[] = []
  time.setTimer(1000, () => {
    void (async () => {
      for (let turns = 0; turns < 4; turns++) await new Promise(resolve => setImmediate(resolve))
      ended.push(time.now)
    })()
  })
  time.setTimer(60_000, () => ended.push(time.now))
  await time.advance(60_000)
  assert.deepEqual(ended, [1000, 60_000])
})

test('time stands still while work is really done elsewhere', async () => {
  const time = new VirtualTime()
  const happened: string[] = []
  time.setTimer(1, () => {
    const work = new Promise<void>(resolve => setTimeout(resolve, 20))
    time.standFor(work)
    void work.then(() => happened.push(`work at ${time.now}`))
  })
  time.setTimer(2, () => happened.push('timer'))
  await time.advance(5)
  assert.deepEqual(happened, ['work at 1', 'timer'])
})

test('a promise is waited for as long as it is allowed to take', async () => {
  const time = new VirtualTime()
  assert.equal(
    await time.until(
      time.sleep(10).then(() => 'done'),
      20,
    ),
    'done',
  )
  assert.equal(time.now, 10)
  await assert.rejects(time.until(time.sleep(100), 50, 'the sleep'), /the sleep has not ended within 50 virtual ms/)
  await assert.rejects(time.until(Promise.reject(new Error('no')), 50), /no/)
})

test('a clock may be wrong, and step', () => {
  const time = new VirtualTime()
  const skew = { ms: 0 }
  const clock = time.clock(skew)
  const right = clock.wallTime()
  skew.ms = -5000
  assert.equal(clock.wallTime(), right - 5000)
  assert.equal(clock.now(), time.now)
})
