import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient } from '../../src/index.ts'
import { pinoSink, winstonSink } from '../../src/observe/log-sinks.ts'
import type { LogLevel } from '../../src/types.ts'

type Line = [method: string, ...args: unknown[]]

/** A logger that notes what it is called with. */
function recorder(lines: Line[]): Record<'error' | 'warn' | 'info' | 'debug', (...args: unknown[]) => void> {
  const method =
    (name: string) =>
    (...args: unknown[]): void =>
      void lines.push([name, ...args])
  return { error: method('error'), warn: method('warn'), info: method('info'), debug: method('debug') }
}

test('fields come first for pino, last for winston; levels are those of both', () => {
  const lines: Line[] = []
  const fields = { client: 'shop#producer-1', facility: 'CONNECT' }
  for (const level of [0, 3, 4, 5, 6, 7] as LogLevel[]) {
    pinoSink(recorder(lines))(level, 'CONNECT', 'it is up', 'shop#producer-1')
  }
  assert.deepEqual(
    lines,
    ['error', 'error', 'warn', 'info', 'info', 'debug'].map(name => [name, fields, 'it is up']),
  )
  lines.length = 0
  winstonSink(recorder(lines))(4, 'CONNECT', 'it is up', 'shop#producer-1')
  assert.deepEqual(lines, [['warn', 'it is up', fields]])
})

test("a client's lines have its name", async () => {
  const lines: Line[] = []
  const config = { 'bootstrap.servers': '127.0.0.1:1', debug: 'all', 'client.id': 'shop' }
  const admin = new AdminClient(config, { logger: pinoSink(recorder(lines)) })
  await assert.rejects(admin.clusterId({ requestTimeoutMs: 100 }))
  await admin.close()
  assert.ok(lines.length > 0)
  for (const [, fields] of lines) assert.equal((fields as { client: string }).client, admin.name)
})
