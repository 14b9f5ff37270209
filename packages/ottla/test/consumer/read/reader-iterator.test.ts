import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, ReaderIterator } from '../../../src/consumer/read/reader-iterator.ts'

/** Waits for what the test gives it. */
class Waiting extends ReaderIterator<number> {
  readonly seen: string[] = []
  give: (found: number | null) => void = () => undefined
  fail: (error: Error) => void = () => undefined

  next(): Promise<IteratorResult<number, undefined>> {
    return this.waitFor<number, IteratorResult<number, undefined>>(
      () =>
        new Promise((resolve, reject) => {
          this.give = resolve
          this.fail = reject
        }),
      value => ({ value, done: false }),
      done,
    )
  }

  protected override onFailure(): void {
    this.seen.push('failure')
  }

  protected override onSettled(): void {
    this.seen.push('settled')
  }

  protected override onEnd(): void {
    this.seen.push('end')
  }
}

test('what is found goes to the loop; nothing ends it', async () => {
  const iterator = new Waiting()
  const first = iterator.next()
  iterator.give(1)
  assert.deepEqual(await first, { value: 1, done: false })
  const second = iterator.next()
  iterator.give(null)
  assert.deepEqual([await second, iterator.seen], [done, ['settled', 'end', 'settled']])
})

test('a loop that is left meanwhile gets neither a value nor an error', async () => {
  for (const settle of [(it: Waiting) => it.give(1), (it: Waiting) => it.fail(new Error('late'))]) {
    const iterator = new Waiting()
    const pending = iterator.next()
    assert.deepEqual(await iterator.return(), done)
    settle(iterator)
    assert.deepEqual([await pending, iterator.seen], [done, ['end', 'settled']])
  }
})

test('an error ends the loop, which lets others read', async () => {
  const iterator = new Waiting()
  const pending = iterator.next()
  iterator.fail(new Error('why'))
  await assert.rejects(pending, { message: 'why' })
  assert.deepEqual(iterator.seen, ['failure', 'end', 'settled'])
})
