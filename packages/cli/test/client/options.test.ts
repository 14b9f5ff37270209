import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { clientLogger, clusterProperties, requireBrokers } from '../../src/client/options.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const none = { property: [], file: [] }

function propertiesFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-options-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'client.properties')
  writeFileSync(file, text)
  return file
}

test('-X overrides -F, and -b and -d override both', t => {
  const file = propertiesFile(t, 'acks=1\nlinger.ms=7\nbootstrap.servers=file:1\n')
  const properties = clusterProperties({
    file: [file],
    property: ['linger.ms=9', 'bootstrap.servers=x:1', 'debug=msg'],
    brokers: 'b:1',
    debug: 'broker',
  })
  assert.deepEqual(properties, { acks: '1', 'linger.ms': '9', 'bootstrap.servers': 'b:1', debug: 'broker' })
})

test('a value may contain =, a name must not be empty', () => {
  const { 'sasl.password': password } = clusterProperties({ ...none, property: ['sasl.password=a=b='] })
  assert.equal(password, 'a=b=')
  for (const wrong of ['acks', '=1', '']) {
    assert.throws(() => clusterProperties({ ...none, property: [wrong] }), UsageError, wrong)
  }
})

test('a file that cannot be read is wrong usage and named', () => {
  const file = join(tmpdir(), 'ottla-no-such-file')
  assert.throws(
    () => clusterProperties({ ...none, file: [file] }),
    (error: unknown) => error instanceof UsageError && error.message.includes(`-F ${file}`),
  )
})

test('brokers are required, under either name of the property', () => {
  assert.throws(() => requireBrokers({}), UsageError)
  for (const name of ['bootstrap.servers', 'metadata.broker.list']) {
    assert.deepEqual(requireBrokers({ [name]: 'a:1' }), { [name]: 'a:1' })
  }
})

test('logs show warnings, with -q errors only, with -d everything', () => {
  const logged = (options: { quiet?: boolean; debug?: string }): string => {
    const stderr = new PassThrough()
    const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, stop: new AbortController().signal }
    const log = clientLogger(terminal, { ...none, ...options })
    for (const level of [3, 4, 7]) log(level, 'FAC', `level ${level}`)
    return String(stderr.read() ?? '')
  }
  assert.equal(logged({}), '%3|FAC| level 3\n%4|FAC| level 4\n')
  assert.equal(logged({ quiet: true }), '%3|FAC| level 3\n')
  assert.equal(logged({ debug: 'all', quiet: true }).split('\n').length, 4)
})
