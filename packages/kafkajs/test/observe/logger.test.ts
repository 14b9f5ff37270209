/** Loggers: who gets which lines. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Kafka, logLevel, type LogEntry } from '../../src/index.ts'
import { consoleLogger } from '../../src/observe/console.ts'
import { createLogger } from '../../src/observe/logger.ts'

afterEach(() => {
  delete process.env['KAFKAJS_LOG_LEVEL']
})

function lines(level: logLevel): { entries: LogEntry[]; logger: ReturnType<typeof createLogger>; levels: logLevel[] } {
  const entries: LogEntry[] = []
  const levels: logLevel[] = []
  const logger = createLogger(level, given => {
    levels.push(given)
    return entry => void entries.push(entry)
  })
  return { entries, logger, levels }
}

test('an entry has its level, its namespace, the message and what was passed with it', () => {
  const { entries, logger, levels } = lines(logLevel.INFO)
  logger.namespace('Consumer').info('Starting', { groupId: 'g' })
  const [entry] = entries
  assert.ok(entry !== undefined)
  const { timestamp, ...log } = entry.log
  assert.deepEqual(
    { ...entry, log },
    {
      namespace: 'Consumer',
      level: logLevel.INFO,
      label: 'INFO',
      log: { logger: 'kafkajs', message: 'Starting', groupId: 'g' },
    },
  )
  assert.equal(new Date(timestamp).toISOString(), timestamp)
  assert.deepEqual(levels, [logLevel.INFO])
})

test('levels: of the client, of a namespace, changed later, of the environment', () => {
  const { entries, logger } = lines(logLevel.WARN)
  const silent = logger.namespace('silent', logLevel.NOTHING)
  const loud = logger.namespace('loud', logLevel.DEBUG)
  const all = (each: typeof logger): void => {
    each.debug('debug')
    each.info('info')
    each.warn('warn')
    each.error('error')
  }
  const taken = (): string[] => entries.splice(0).map(({ log }) => log.message)
  all(logger)
  assert.deepEqual(taken(), ['warn', 'error'])
  all(silent)
  assert.deepEqual(taken(), [])
  all(loud)
  assert.deepEqual(taken(), ['debug', 'info', 'warn', 'error'])
  logger.setLogLevel(logLevel.ERROR)
  all(logger.namespace('other'))
  assert.deepEqual(taken(), ['error'])

  process.env['KAFKAJS_LOG_LEVEL'] = 'debug'
  const { entries: more, logger: debugged } = lines(logLevel.NOTHING)
  debugged.debug('debug')
  assert.equal(more.length, 1)
  process.env['KAFKAJS_LOG_LEVEL'] = 'nonsense'
  const { entries: none, logger: quiet } = lines(logLevel.NOTHING)
  quiet.error('error')
  assert.equal(none.length, 0)
})

test('the console’s lines are JSON, each by its own function', t => {
  const written: [string, unknown][] = []
  for (const name of ['info', 'error', 'warn', 'log'] as const) {
    t.mock.method(console, name, (line: string) => void written.push([name, JSON.parse(line)]))
  }
  const write = consoleLogger()
  const log = { timestamp: '2026-01-01T00:00:00.000Z', logger: 'kafkajs', message: 'text', extra: 1 }
  write({ namespace: '', level: logLevel.INFO, label: 'INFO', log })
  write({ namespace: 'Runner', level: logLevel.DEBUG, label: 'DEBUG', log })
  write({ namespace: '', level: logLevel.WARN, label: 'WARN', log })
  write({ namespace: '', level: logLevel.ERROR, label: 'ERROR', log })
  write({ namespace: '', level: logLevel.NOTHING, label: 'NOTHING', log })
  assert.deepEqual(written, [
    ['info', { level: 'INFO', ...log }],
    ['log', { level: 'DEBUG', ...log, message: '[Runner] text' }],
    ['warn', { level: 'WARN', ...log }],
    ['error', { level: 'ERROR', ...log }],
  ])
})

test('the clients’ namespaces', () => {
  const names: string[] = []
  const kafka = new Kafka({
    brokers: ['127.0.0.1:1'],
    logCreator: () => entry => void names.push(entry.namespace),
  })
  for (const client of [kafka, kafka.producer(), kafka.consumer({ groupId: 'g' }), kafka.admin()])
    client.logger().info('x')
  assert.deepEqual(names, ['', 'Producer', 'Consumer', 'Admin'])
})
