import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HookErrors } from '../../src/observe/hook-errors.ts'
import { Logger } from '../../src/observe/logger.ts'

test('the first error of each hook is logged as an error, further ones as debug lines', () => {
  const lines: string[] = []
  const sink = (level: number, _facility: string, message: string): void =>
    void lines.push(`${level} ${message.split('\n')[0]}`)
  const errors = new HookErrors(new Logger(sink, 6, new Set(['interceptor'])))
  errors.report('onSend', new Error('one'))
  errors.report('onSend', new Error('two'))
  errors.report('onAcknowledgement', 'not an error')
  assert.equal(lines.length, 3)
  assert.match(lines[0] ?? '', /^3 onSend .*Error: one/)
  assert.match(lines[1] ?? '', /^7 onSend: Error: two/)
  assert.match(lines[2] ?? '', /^3 onAcknowledgement .*not an error/)
})
