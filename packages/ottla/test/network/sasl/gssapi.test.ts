import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Producer, type KafkaError, type KerberosPackage } from '../../../src/index.ts'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { GssapiMechanism } from '../../../src/network/sasl/gssapi.ts'
import { KerberosTicket, kinitCommand, type KerberosSettings } from '../../../src/network/sasl/kerberos-ticket.ts'
import { Logger } from '../../../src/observe/logger.ts'

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const logger = new Logger(() => undefined, 0, new Set())

/** A context that is complete after its second token; `offer` is what the broker's wrapped message holds. */
function fake(
  offer: string,
  steps: (string | null | Error)[] = ['first', null],
): { kerberos: KerberosPackage; calls: string[] } {
  const calls: string[] = []
  let left = steps.length
  const kerberos: KerberosPackage = {
    initializeClient: service => {
      calls.push(service)
      return Promise.resolve({
        get contextComplete() {
          return left === 0
        },
        step: challenge => {
          calls.push(`step ${Buffer.from(challenge, 'base64').toString('latin1')}`)
          const token = steps[steps.length - left--]
          if (token instanceof Error) return Promise.reject(token)
          return Promise.resolve(token === null || token === undefined ? null : base64(token))
        },
        unwrap: () => Promise.resolve(base64(offer)),
        wrap: data => {
          calls.push(`wrap ${Buffer.from(data, 'base64').toString('hex')}`)
          return Promise.resolve(base64('wrapped'))
        },
      })
    },
  }
  return { kerberos, calls }
}

const text = (token: Buffer | null): string | null => token?.toString('latin1') ?? null

test('tokens, an empty one, and the choice of no security layer', async () => {
  const { kerberos, calls } = fake('\x01\x00\x00\x00')
  const exchange = new GssapiMechanism(kerberos, 'kafka', null).exchange('broker.example')
  assert.equal(text(await exchange.start()), 'first')
  assert.equal(text(await exchange.next(Buffer.from('reply'))), '')
  assert.equal(text(await exchange.next(Buffer.from('offer'))), 'wrapped')
  assert.equal(await exchange.next(Buffer.alloc(0)), null)
  assert.deepEqual(calls, ['kafka@broker.example', 'step ', 'step reply', 'wrap 01000000'])
})

test('a broker that insists on a security layer, or offers nothing usable, is refused', async () => {
  for (const offer of ['\x06\x00\x10\x00', '\x01', '']) {
    const exchange = new GssapiMechanism(fake(offer).kerberos, 'kafka', null).exchange('h')
    await exchange.start()
    await exchange.next(Buffer.from('reply'))
    await assert.rejects(async () => exchange.next(Buffer.from('offer')), { code: ErrorCode.ERR__AUTHENTICATION })
  }
})

test('errors of Kerberos name the service', async () => {
  const { kerberos } = fake('', [new Error('Server not found in Kerberos database')])
  const exchange = new GssapiMechanism(kerberos, 'kafka', null).exchange('h')
  await assert.rejects(async () => exchange.start(), {
    code: ErrorCode.ERR__AUTHENTICATION,
    message: 'Kerberos cannot authenticate to kafka@h: Server not found in Kerberos database',
  })
})

test('random tokens of a broker end in an error or a token, never in a hang', async () => {
  for (let length = 0; length < 64; length++) {
    const { kerberos } = fake('x'.repeat(length))
    const exchange = new GssapiMechanism(kerberos, 'kafka', null).exchange('h')
    await exchange.start()
    for (let i = 0; i < 4; i++) await Promise.resolve(exchange.next(Buffer.alloc(length, i))).catch(() => undefined)
    assert.equal(await exchange.next(Buffer.alloc(length)), null)
  }
})

const settings = (changes: Partial<KerberosSettings>): KerberosSettings => ({
  'sasl.kerberos.kinit.cmd': undefined,
  'sasl.kerberos.min.time.before.relogin': 1000,
  'sasl.kerberos.principal': 'alice',
  ...changes,
})

test('the command is built from properties', () => {
  assert.equal(
    kinitCommand(settings({ 'sasl.kerberos.keytab': '/keys/alice' })),
    'kinit -R -t "/keys/alice" -k alice || kinit -t "/keys/alice" -k alice',
  )
  assert.equal(kinitCommand(settings({ 'sasl.kerberos.kinit.cmd': 'fetch %{sasl.kerberos.principal}' })), 'fetch alice')
  assert.throws(() => kinitCommand(settings({})), {
    code: ErrorCode.ERR__INVALID_ARG,
    message: /refers to sasl\.kerberos\.keytab, which is not set/,
  })
})

/** Timers that the test fires. */
function manualClock(): { clock: Clock; pending: () => number[]; fire: (ms: number) => void } {
  const timers = new Set<{ readonly ms: number; readonly callback: () => void }>()
  const clock: Clock = {
    ...systemClock,
    setTimer: (ms, callback) => {
      const timer = { ms, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
  }
  const fire = (ms: number): void => {
    for (const timer of [...timers].filter(each => each.ms === ms)) {
      timers.delete(timer)
      timer.callback()
    }
  }
  return { clock, pending: () => [...timers].map(({ ms }) => ms), fire }
}

test('the command runs once before the first connection, then at intervals, until the client is closed', async () => {
  const { clock, pending, fire } = manualClock()
  const runs: string[] = []
  const told: KafkaError[] = []
  const outcomes = [null, 'no such key']
  const ticket = new KerberosTicket(
    settings({ 'sasl.kerberos.kinit.cmd': 'fetch' }),
    clock,
    logger,
    error => told.push(error),
    command => {
      runs.push(command)
      return Promise.resolve(outcomes.shift() ?? null)
    },
  )
  await Promise.all([ticket.ready(), ticket.ready()])
  assert.deepEqual([runs, pending(), told], [['fetch'], [1000], []])
  fire(1000)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([runs.length, pending()], [2, [1000]])
  assert.equal(told[0]?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(told[0].message, /no such key/)
  ticket.close()
  assert.deepEqual(pending(), [])
})

test('a command that does not end is killed, with its children, after a minute or when the client is closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-kinit-'))
  for (const how of ['minute', 'close'] as const) {
    const pipe = join(folder, how)
    execFileSync('mkfifo', [pipe])
    const { clock, pending, fire } = manualClock()
    const told: string[] = []
    // The shell waits for another, which holds the pipe open as long as it lives.
    const endless = settings({ 'sasl.kerberos.kinit.cmd': `sh -c 'echo up; exec sleep 1000' > ${pipe} || true` })
    const ticket = new KerberosTicket(endless, clock, logger, error => told.push(error.message))
    const ready = ticket.ready()
    const reader = createReadStream(pipe)
    const isOver = once(reader, 'end')
    await once(reader, 'data')
    if (how === 'minute') fire(60_000)
    else ticket.close()
    await Promise.all([ready, isOver])
    if (how === 'minute') assert.match(told.join(), /it did not exit within 60000 ms$/)
    else assert.deepEqual([told, pending()], [[], []])
    ticket.close()
  }
  rmSync(folder, { recursive: true })
})

test('a command may leave something running in the background', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-kinit-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const told: string[] = []
  // Ends when somebody writes.
  const daemon = settings({ 'sasl.kerberos.kinit.cmd': `cat ${pipe} &`, 'sasl.kerberos.min.time.before.relogin': 0 })
  await new KerberosTicket(daemon, systemClock, logger, error => told.push(error.message)).ready()
  writeFileSync(pipe, 'enough')
  assert.deepEqual(told, [])
  rmSync(folder, { recursive: true })
})

test('what a shell command prints as an error is reported', async () => {
  const told: string[] = []
  const failing = settings({
    'sasl.kerberos.kinit.cmd': 'echo first >&2; echo last >&2; exit 3',
    'sasl.kerberos.min.time.before.relogin': 0,
  })
  await new KerberosTicket(failing, systemClock, logger, error => told.push(error.message)).ready()
  assert.match(told.join(), /kinit\.cmd failed, .*: last$/)
  const fine = settings({ 'sasl.kerberos.kinit.cmd': 'true', 'sasl.kerberos.min.time.before.relogin': 0 })
  await new KerberosTicket(fine, systemClock, logger, error => told.push(error.message)).ready()
  assert.equal(told.length, 1)
})

test('the error of a missing package says how to install it', () => {
  const config = { 'bootstrap.servers': '127.0.0.1:1', 'security.protocol': 'sasl_plaintext' } as const
  assert.throws(() => new Producer({ ...config, 'sasl.mechanisms': 'GSSAPI' }), {
    code: ErrorCode.ERR__INVALID_ARG,
    message: /npm install kerberos/,
  })
})
