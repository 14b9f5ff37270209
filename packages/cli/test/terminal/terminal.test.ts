import { test } from 'node:test'
import { stopped } from '../../src/terminal/terminal.ts'

test('a stop is noticed whether it comes before or after', async () => {
  await stopped(AbortSignal.abort())
  const stop = new AbortController()
  const waiting = stopped(stop.signal)
  stop.abort()
  await waiting
})
