import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Logger } from '../../src/observe/logger.ts'
import { FakeClock } from '../base/fake-clock.ts'

function scene(): { clock: FakeClock; logger: Logger; lines: string[] } {
  const clock = new FakeClock()
  const lines: string[] = []
  const logger = new Logger((_, facility, text) => void lines.push(`${facility} ${text}`), 6, new Set(), clock)
  return { clock, logger, lines }
}

test('a warning that repeats is counted, and told of less and less often while it lasts', async () => {
  const { clock, logger, lines } = scene()
  for (let ms = 0; ms < 8000; ms += 100) {
    logger.warning('RUN', 'no luck')
    await clock.advance(100)
  }
  assert.deepEqual(lines, [
    'RUN no luck',
    'RUN no luck (9 more times within 1 s)',
    'RUN no luck (20 more times within 2 s)',
    'RUN no luck (40 more times within 4 s)',
  ])
})

test('what is over is written at once when it comes again', async () => {
  const { clock, logger, lines } = scene()
  logger.error('RUN', 'no luck')
  await clock.advance(1001)
  logger.error('RUN', 'no luck')
  assert.deepEqual(lines, ['RUN no luck', 'RUN no luck'])
})

test('other lines are written, and so is what is neither a warning nor an error', () => {
  const { logger, lines } = scene()
  logger.warning('RUN', 'no luck')
  logger.warning('RUN', 'no luck at all')
  logger.warning('STOP', 'no luck')
  for (let i = 0; i < 2; i++) logger.info('RUN', 'all is well')
  assert.deepEqual(lines, ['RUN no luck', 'RUN no luck at all', 'STOP no luck', 'RUN all is well', 'RUN all is well'])
})

test('closing tells of what was counted; what comes later is written', async () => {
  const { clock, logger, lines } = scene()
  for (let i = 0; i < 3; i++) logger.error('RUN', 'no luck')
  logger.close()
  logger.error('RUN', 'no luck')
  logger.error('RUN', 'no luck')
  await clock.advance(5000)
  assert.deepEqual(lines, ['RUN no luck', 'RUN no luck (2 more times within 1 s)', 'RUN no luck', 'RUN no luck'])
})

test('any number of different lines is written; the oldest is forgotten, and its count told', () => {
  const { logger, lines } = scene()
  for (let i = 0; i < 1000; i++) logger.error('RUN', `attempt ${i}`)
  logger.error('RUN', 'attempt 0')
  logger.error('RUN', 'attempt 999')
  assert.equal(lines.length, 1001)
  for (let i = 0; i < 300; i++) logger.error('STOP', `attempt ${i}`)
  assert.ok(lines.includes('RUN attempt 999 (1 more time within 1 s)'))
})
