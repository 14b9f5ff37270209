import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RunningJobs, callerNow } from '../../../src/consumer/read/running-jobs.ts'
import { Parking } from '../../../src/consumer/group/parking.ts'
import type { Job, JobHolder } from '../../../src/consumer/read/job-list.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const place = { topic: 't', partition: 0, name: 't [0]' }
const quiet = (): void => undefined

function holder(onAwaitsEnd: () => void = quiet, onDone: () => void = quiet): JobHolder {
  return { job: null, onAwaitsEnd, onDone }
}

test('the oldest job comes first, and is described in words', async () => {
  const clock = new FakeClock()
  const runningJobs = new RunningJobs(clock, 1000)
  const first = runningJobs.begin(holder(), place, 5, 'handler')
  await clock.advance(700)
  runningJobs.begin(holder(), place, 6, 'reader')
  await clock.advance(700)
  assert.equal(runningJobs.oldestSince, 0)
  assert.equal(runningJobs.isStuck, true)
  assert.deepEqual(
    runningJobs.longerThan(500).map(({ offset }) => offset),
    [5, 6],
  )
  assert.match(
    runningJobs.describeExceeded(1000),
    /t \[0\]: its handler has been processing offset 5 for 1 s, longer than 1000 ms/,
  )
  runningJobs.end(first)
  assert.equal(runningJobs.isStuck, false)
  assert.match(runningJobs.describeExceeded(1000), /poll was not called for 1000 ms/)
})

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

function ending(): { readonly over: Promise<void>; readonly end: () => void } {
  let end = quiet
  const over = new Promise<void>(resolve => (end = resolve))
  return { over, end: () => end() }
}

describe('a job that waits for the end from within is recognized', () => {
  const ways: Readonly<Record<string, (ask: () => Promise<void>) => void | Promise<void>>> = {
    'at once': ask => ask(),
    'after an await': async ask => {
      await turn()
      await ask()
    },
    'in a function that is awaited': async ask => {
      const shutDown = async (): Promise<void> => {
        await turn()
        await ask()
      }
      await turn()
      await Promise.all([turn(), shutDown()])
    },
    'behind a then': ask => turn().then(ask),
    'in an async generator': async ask => {
      const each = async function* (): AsyncGenerator<number> {
        yield 1
        await ask()
      }
      for await (const _ of each()) await turn()
    },
  }

  for (const [name, way] of Object.entries(ways)) {
    test(name, async () => {
      const runningJobs = new RunningJobs(new FakeClock(), 1000)
      const told: string[] = []
      const other = runningJobs.begin(holder(), place, 2, 'handler')
      const { over, end } = ending()
      const asking = holder(
        () => {
          told.push('asking')
          end()
        },
        () => assert.deepEqual([asking.job?.awaitsEnd, asking.job?.hasAwaitedEnd], [false, true]),
      )
      const work = (): void | Promise<void> => way(() => runningJobs.trackWaiters(() => over))
      await runningJobs.perform(asking, place, 1, work, true)
      assert.deepEqual([told, other.hasAwaitedEnd, asking.job], [['asking'], false, null])
    })
  }

  test('within the handler of another consumer', async () => {
    const [outer, inner] = [new RunningJobs(new FakeClock(), 1000), new RunningJobs(new FakeClock(), 1000)]
    const told: string[] = []
    const { over, end } = ending()
    const close = async (): Promise<void> => {
      await turn()
      await outer.trackWaiters(() => over)
    }
    const within = (): Promise<void> =>
      inner.perform(
        holder(() => told.push('inner')),
        place,
        1,
        close,
        true,
      )
    await outer.perform(
      holder(() => {
        told.push('outer')
        end()
      }),
      place,
      1,
      within,
      true,
    )
    assert.deepEqual(told, ['outer'])
  })

  test('and nobody else', async () => {
    const runningJobs = new RunningJobs(new FakeClock(), 1000)
    const told: string[] = []
    const asked = turn().then(() => runningJobs.trackWaiters(turns))
    await runningJobs.perform(
      holder(() => told.push('handler')),
      place,
      1,
      turns,
      true,
    )
    await asked
    assert.deepEqual(told, [])
  })
})

test('a job that waits for a promise from within is recognized at that moment', async () => {
  const waits: ((promise: Promise<number>) => unknown)[] = [
    async promise => {
      await turn()
      return promise
    },
    async promise => [await promise],
    promise => promise.then(() => 7),
    promise => Promise.race([new Promise(quiet), promise]),
  ]
  for (const wait of waits) {
    const runningJobs = new RunningJobs(new FakeClock(), 1000)
    const told: string[] = []
    let end = quiet
    const promise = runningJobs.trackWaiters(() => new Promise<number>(resolve => (end = () => resolve(7))))
    const asking = holder(() => {
      told.push('asking')
      end()
    })
    await runningJobs.perform(asking, place, 1, () => wait(promise), true)
    assert.deepEqual(told, ['asking'])
    assert.equal(await promise, 7)
  }
})

describe('a job that only makes the call is waited for', () => {
  const calls: Readonly<Record<string, (promise: () => Promise<void>) => void>> = {
    'and looks at nothing': promise => void promise(),
    'and catches its errors': promise => void promise().catch(quiet),
    'in a function that waits': promise => void (async () => promise().then(quiet))(),
    'in one that waits for that': promise => {
      const shutDown = async (): Promise<void> => promise()
      void (async () => {
        await shutDown()
      })()
    },
  }
  for (const [name, call] of Object.entries(calls)) {
    test(name, async () => {
      const runningJobs = new RunningJobs(new FakeClock(), 1000)
      const { over, end } = ending()
      const calling = holder(
        () => assert.fail('it does not wait'),
        () => assert.equal(calling.job?.hasAwaitedEnd, false),
      )
      const work = async (): Promise<void> => {
        call(() => runningJobs.trackWaiters(() => over))
        await turns()
        call(() => runningJobs.trackWaiters(() => over))
        await turns()
      }
      await runningJobs.perform(calling, place, 1, work, true)
      end()
    })
  }

  test('until it does wait', async () => {
    const clock = new FakeClock()
    const runningJobs = new RunningJobs(clock, 1000)
    const { over, end } = ending()
    const work = async (): Promise<void> => {
      const shutDown = async (): Promise<void> => {
        await runningJobs.trackWaiters(() => over)
      }
      const closing = shutDown()
      await turns()
      assert.equal(asking.job?.awaitsEnd, false)
      void turn().then(async () => clock.advance(100))
      await closing
    }
    const asking = holder(end)
    await runningJobs.perform(asking, place, 1, work, true)
  })
})

describe('of loops over streams', () => {
  class Stream {
    readonly runningJobs: RunningJobs
    readonly told: number[] = []
    constructor(runningJobs: RunningJobs) {
      this.runningJobs = runningJobs
    }
    next(offset: number): Promise<Job> {
      const reader = callerNow()
      return Promise.resolve(
        this.runningJobs.begin(
          holder(() => this.told.push(offset)),
          place,
          offset,
          'reader',
          reader,
        ),
      )
    }
  }

  test('the one that asks is known by its function', async () => {
    const stream = new Stream(new RunningJobs(new FakeClock(), 1000))
    const { runningJobs, told } = stream
    const loop = async (offset: number): Promise<void> => {
      await stream.next(offset)
      await turn()
      if (offset === 1) await runningJobs.trackWaiters(turns)
    }
    await (async () => stream.next(0))()
    await loop(1)
    await (async () => runningJobs.trackWaiters(turns))()
    assert.deepEqual(told, [1])
  })

  const asks: Readonly<Record<string, (promises: () => Promise<void>) => Promise<unknown>>> = {
    'of its own': promise => promise(),
    'beside something else': promise => Promise.all([turn(), promise()]),
    'that another function returns': async promise => {
      const shutDown = async (): Promise<void> => promise()
      await shutDown()
    },
  }
  for (const [name, ask] of Object.entries(asks)) {
    for (const shared of name === 'that another function returns' ? [false] : [false, true]) {
      test(`several of one function that all wait for ${shared ? 'one' : 'a'} promise ${name} are known, one at work is not`, async () => {
        const stream = new Stream(new RunningJobs(new FakeClock(), 1000))
        const { runningJobs, told } = stream
        let end = quiet
        const over = new Promise<void>(resolve => (end = resolve))
        let one: Promise<void> | null = null
        const promise = (): Promise<void> => {
          if (!shared) return runningJobs.trackWaiters(() => over)
          return (one ??= runningJobs.trackWaiters(() => over))
        }
        const loop = async (offset: number): Promise<void> => {
          const job = await stream.next(offset)
          await turn()
          if (offset < 2) await ask(promise)
          else {
            await turns()
            assert.deepEqual(told, [])
            runningJobs.end(job)
            end()
          }
        }
        await Promise.all([loop(0), loop(1), loop(2)])
        assert.deepEqual(told, [0, 1])
      })
    }
  }

  test('several of one function: it is the one that does not go on', async () => {
    const stream = new Stream(new RunningJobs(new FakeClock(), 1000))
    const { runningJobs, told } = stream
    const before: number[][] = []
    const loop = async (offset: number): Promise<void> => {
      const job = await stream.next(offset)
      await turn()
      if (offset === 1) {
        await runningJobs.trackWaiters(async () => {
          await turns()
          before.push([...told])
          await turns()
        })
      } else {
        await turns()
        await turn()
        runningJobs.end(job)
      }
    }
    await Promise.all([loop(0), loop(1), loop(2)])
    assert.deepEqual([before, told], [[[]], [1]])
  })
})

test('nothing is looked at any more when those have ended that have looked at a promise', async () => {
  const clock = new FakeClock()
  const runningJobs = new RunningJobs(clock, 1000)
  const running = runningJobs.trackWaiters(() => new Promise<void>(quiet))
  for (let i = 0; i < 3; i++) {
    const work = async (): Promise<void> => {
      void running.catch(quiet)
      await turn()
    }
    await runningJobs.perform(holder(), place, i, work, true)
    await clock.advance(1000)
    assert.equal(clock.pendingTimers, 0)
  }
})

test('a member that has left joins again when nothing takes too long any more', async () => {
  const clock = new FakeClock()
  const runningJobs = new RunningJobs(clock, 1000)
  const parking = new Parking(clock, runningJobs)
  const job = runningJobs.begin(holder(), place, 1, 'handler')
  await clock.advance(1100)
  let left = 0
  const parked = parking.park(
    () => new Promise(quiet),
    () => left++,
  )
  void parking.park(
    () => Promise.resolve(),
    () => left++,
  )
  await clock.advance(4000)
  assert.equal(left, 0)
  await clock.advance(2000)
  await parked
  assert.equal(left, 1)
  parking.polled()
  assert.equal(parking.isParked, true, 'a run polls all the time')
  let joins = 0
  assert.equal(
    parking.mayJoin(() => joins++),
    false,
  )
  assert.equal(parking.onEnded(), null)
  runningJobs.end(job)
  parking.onEnded()?.()
  assert.equal(joins, 1)
  parking.polled()
  assert.equal(parking.isParked, false)
})
