import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Logger } from '../../src/observe/logger.ts'

test('debug lines pass when their context is on, whatever the level', () => {
  const lines: string[] = []
  const logger = new Logger((level, facility) => lines.push(`${level} ${facility}`), 3, new Set(['fetch']))
  logger.debug('fetch', 'A', '')
  logger.debug('cgrp', 'B', '')
  logger.warning('C', '')
  logger.error('D', '')
  assert.deepEqual(lines, ['7 A', '3 D'])
})

test('a sink that throws does no harm', () => {
  const logger = new Logger(
    () => {
      throw new Error('full disk')
    },
    7,
    new Set(),
  )
  logger.error('X', 'still here')
})
