import { afterEach, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ApiKey,
  ErrorCode,
  Heartbeat,
  HeartbeatServer,
  SaslAuthenticateServer,
  SaslHandshakeServer,
  encodeResponse,
} from '@ottla/protocol'
import { Lane, type LaneRequestOptions, type LaneSettings } from '../../src/network/lane.ts'
import { planRenewal } from '../../src/network/reauthentication.ts'
import { RequestError } from '../../src/network/request-error.ts'
import type { SaslMechanism } from '../../src/network/sasl/mechanism.ts'
import { PlainMechanism } from '../../src/network/sasl/plain.ts'
import { Logger } from '../../src/observe/logger.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { ScriptedBroker, type Asked } from './scripted-broker.ts'
import { laneSettings } from './lane-settings.ts'

const SESSION_MS = 10_000
const body = { groupId: 'g', generationId: 1, memberId: 'm' }
const closing: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A broker that accepts the password; the test decides its other responses. */
class Gate {
  password = 'secret'
  lifetimeMs = SESSION_MS
  /** Responses to heartbeats and authentications are held back. */
  isHolding = false
  /** The requests, in order: `+` for a handshake, `t` for a token, `h` for a heartbeat. */
  asked = ''
  readonly #held: (() => void)[] = []

  serve(asked: Asked): void {
    const answer = this.#answer(asked)
    if (this.isHolding) this.#held.push(answer)
    else answer()
  }

  release(): void {
    this.isHolding = false
    for (const answer of this.#held.splice(0)) answer()
  }

  #answer({ header, reader, socket }: Asked): () => void {
    const { apiKey, apiVersion: version, correlationId } = header
    const send = (parts: readonly Uint8Array[]): void => parts.forEach(part => void socket.write(part))
    if (apiKey === ApiKey.SaslHandshake) {
      this.asked += '+'
      return () => send(encodeResponse(SaslHandshakeServer, version, correlationId, { errorCode: 0, mechanisms: [] }))
    }
    if (apiKey === ApiKey.SaslAuthenticate) {
      this.asked += 't'
      const { authBytes } = SaslAuthenticateServer.readRequest(reader, version)
      const isRight = authBytes.toString().endsWith(`\0${this.password}`)
      const errorCode = isRight ? 0 : ErrorCode.ERR_SASL_AUTHENTICATION_FAILED
      const sessionLifetimeMs = this.lifetimeMs
      const response = { errorCode, errorMessage: 'no', authBytes: Buffer.alloc(0), sessionLifetimeMs }
      return () => send(encodeResponse(SaslAuthenticateServer, version, correlationId, response))
    }
    this.asked += 'h'
    return () => send(encodeResponse(HeartbeatServer, version, correlationId, { throttleTimeMs: 0, errorCode: 0 }))
  }
}

interface Bench {
  readonly lane: Lane
  readonly gate: Gate
  readonly broker: ScriptedBroker
  readonly clock: FakeClock
  readonly downs: RequestError[]
  readonly credentials: { username: string; password: string }
  /** Sends a heartbeat; pushes `name` to `done`, or the error to `failed`. */
  readonly ask: (name?: string, options?: Partial<LaneRequestOptions>) => void
  readonly done: string[]
  readonly failed: RequestError[]
}

async function start(random = 0, make?: (credentials: Bench['credentials']) => SaslMechanism): Promise<Bench> {
  const gate = new Gate()
  const clock = new FakeClock()
  const broker = await ScriptedBroker.start(asked => gate.serve(asked))
  const credentials = { username: 'alice', password: 'secret' }
  const settings: LaneSettings = {
    ...laneSettings,
    handshake: {
      ...laneSettings.handshake,
      authTimeoutMs: 3000,
      mechanism: make?.(credentials) ?? new PlainMechanism(() => credentials),
    },
    reconnectBackoffMs: 100,
    reconnectBackoffMaxMs: 1000,
  }
  const endpoint = { host: '127.0.0.1', port: broker.port, name: `127.0.0.1:${broker.port}/1` }
  const downs: RequestError[] = []
  const done: string[] = []
  const failed: RequestError[] = []
  const observer = {
    onUp: () => undefined,
    onDown: (error: RequestError) => void downs.push(error),
    onThrottle: () => undefined,
  }
  const logger = new Logger(() => undefined, 0, new Set())
  const lane = new Lane(endpoint, settings, clock, () => random, logger, observer)
  closing.push(async () => {
    lane.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
    await broker.close()
  })
  const ask = (name = 'x', options: Partial<LaneRequestOptions> = {}): void => {
    lane.request(Heartbeat, body, { timeoutMs: 60_000, ...options }).then(
      () => done.push(name),
      (error: unknown) => failed.push(error as RequestError), // lanes reject with nothing else
    )
  }
  const bench = { lane, gate, broker, clock, downs, credentials, ask, done, failed }
  ask()
  await until(() => done.length === 1)
  gate.asked = ''
  done.length = 0
  return bench
}

/** Waits for sockets. */
async function until(condition: () => boolean): Promise<void> {
  const latest = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > latest) throw new Error('it did not come to that')
    await settle()
  }
}

test('a session is renewed between 85 and 95 % of its lifetime; one without end never', () => {
  const terms = { startedAt: 1000, lifetimeMs: 60_000 }
  const plan = { earliestAt: 31_000, holdAt: 58_000, endsAt: 61_000 }
  assert.deepEqual(
    planRenewal(terms, () => 0),
    { ...plan, dueAt: 52_000 },
  )
  assert.deepEqual(
    planRenewal(terms, () => 0.5),
    { ...plan, dueAt: 55_000 },
  )
  const endless = planRenewal({ startedAt: 0, lifetimeMs: 0 }, () => 0.5)
  assert.ok(Object.values(endless).every(at => at === Infinity))
})

test('a short session is renewed a second before its end, but not in its first half', () => {
  const due = (lifetimeMs: number): number => planRenewal({ startedAt: 0, lifetimeMs }, () => 0.9).dueAt
  assert.deepEqual([500, 1500, 2000, 4000, 10_000].map(due), [250, 750, 1000, 3000, 9000])
})

test('with requests in flight a session is renewed on its connection: later ones wait, and are sent in order', async () => {
  const { lane, gate, broker, clock, ask, done } = await start()
  await clock.advance(8499)
  gate.isHolding = true
  ask('before')
  await until(() => gate.asked === 'h')
  await clock.advance(2)
  await until(() => gate.asked === 'h+')
  ask('a')
  ask('b')
  assert.equal(lane.inFlight, 2)
  assert.equal(lane.queued, 2)
  await settle()
  assert.equal(gate.asked, 'h+', 'nothing else is sent meanwhile')
  gate.release()
  await until(() => done.length === 3)
  assert.deepEqual(done, ['before', 'a', 'b'])
  assert.equal(gate.asked, 'h+thh')
  assert.equal(broker.connections, 1)
})

test('the slower a broker answers, the sooner a session is renewed: it reads a request after it has answered those before', async () => {
  const { gate, broker, clock, ask, done } = await start()
  gate.isHolding = true
  ask()
  await until(() => gate.asked === 'h')
  await clock.advance(2000)
  gate.release()
  await until(() => done.length === 1)
  await clock.advance(3999)
  ask()
  await until(() => done.length === 2)
  assert.equal(gate.asked, 'hh')
  await clock.advance(2)
  ask()
  await until(() => gate.asked === 'hhh+t')
  assert.equal(broker.connections, 1)
})

test('each session is renewed with the current password', async () => {
  const { gate, broker, clock, credentials, ask, done, downs } = await start()
  for (const password of ['two', 'three', 'four']) {
    credentials.password = password
    await clock.advance(8000)
    ask()
    await until(() => done.length === 1)
    gate.password = password
    await clock.advance(1600)
    ask()
    await until(() => done.length === 2)
    done.length = 0
  }
  assert.equal(gate.asked, 'h+thh+thh+th')
  assert.equal(broker.connections, 1)
  assert.equal(downs.length, 0)
})

test('an idle connection is left alone, and renewed before the next request', async () => {
  const { gate, broker, clock, ask, done } = await start()
  await clock.advance(50_000)
  assert.equal(gate.asked, '')
  ask()
  await until(() => done.length === 1)
  assert.equal(gate.asked, '+th')
  assert.equal(broker.connections, 1)
})

test('sessions that no longer have an end are not renewed again', async () => {
  const { gate, clock, ask, done } = await start()
  gate.lifetimeMs = 0
  await clock.advance(9600)
  ask()
  await until(() => done.length === 1)
  await clock.advance(1e6)
  ask()
  await until(() => done.length === 2)
  assert.equal(gate.asked, '+thh')
})

test('a session of a second is not renewed twice within one: requests pass while there is time, then wait', async () => {
  const { gate, broker, clock, ask, done } = await start()
  gate.lifetimeMs = 1000
  await clock.advance(9600)
  ask()
  await until(() => done.length === 1)
  // Renewed at 9600: due again at 10450, to be held from 10550, allowed from 10650.
  await clock.advance(860)
  ask()
  await until(() => done.length === 2)
  assert.equal(gate.asked, '+thh')
  await clock.advance(100)
  ask()
  await settle()
  assert.equal(gate.asked, '+thh')
  await clock.advance(100)
  await until(() => done.length === 3)
  assert.equal(gate.asked, '+thh+th')
  assert.equal(broker.connections, 1)
})

test('a refusal is reported with the reason of the broker, and waiting requests go over a new connection after the backoff', async () => {
  const { lane, gate, broker, clock, credentials, ask, done, downs } = await start()
  gate.password = 'other'
  await clock.advance(9600)
  ask()
  await until(() => downs.length === 1)
  assert.equal(downs[0]?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(downs[0].message, /re-authentication failed: .*SASL PLAIN authentication failed: no/)
  assert.doesNotMatch(downs[0].message, /secret/)
  assert.equal(lane.isFailing, true)
  assert.equal(lane.queued, 1)
  await settle()
  assert.equal(broker.connections, 1)
  credentials.password = 'other'
  await clock.advance(150)
  await until(() => done.length === 1)
  assert.equal(broker.connections, 2)
  assert.equal(gate.asked, '+t+th')
})

test('new credentials end the wait for the next attempt', async () => {
  const { lane, gate, clock, credentials, ask, done, downs } = await start()
  gate.password = 'other'
  await clock.advance(9600)
  ask()
  await until(() => downs.length === 1)
  credentials.password = 'other'
  lane.retryNow()
  await until(() => done.length === 1)
  assert.equal(gate.asked, '+t+th')
})

test('an attempt that fails with credentials that were replaced in the meantime is followed by another at once', async () => {
  const { lane, gate, broker, clock, credentials, ask, done, failed, downs } = await start()
  gate.password = 'other'
  for (const socket of broker.sockets) socket.destroy()
  await until(() => downs.length === 1)
  gate.isHolding = true
  ask()
  await until(() => gate.asked === '+')
  gate.release()
  gate.isHolding = true
  await until(() => gate.asked === '+t')
  credentials.password = 'other'
  lane.retryNow()
  gate.release()
  await until(() => done.length === 1)
  assert.equal(gate.asked, '+t+th')
  assert.equal(downs.length, 1)
  assert.equal(failed.length, 0)
  assert.equal(clock.now(), 0)
})

test('an attempt that is overtaken by new credentials is reported, even if no request waits for it', async () => {
  const { lane, gate, broker, downs } = await start()
  gate.password = 'other'
  for (const socket of broker.sockets) socket.destroy()
  await until(() => downs.length === 1)
  gate.isHolding = true
  lane.preconnect()
  await until(() => gate.asked === '+')
  lane.retryNow()
  gate.release()
  await until(() => downs.length === 2)
  assert.equal(downs[1]?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.equal(broker.connections, 3)
})

test('an attempt that waits for a token continues when there is one', async () => {
  let give = (_: Buffer): void => assert.fail('nobody waits')
  let isWaiting = false
  const { lane, gate, broker, clock, ask, done, downs } = await start(0, () => ({
    name: 'PLAIN',
    exchange: () => ({
      start: () => {
        if (!isWaiting) return Buffer.from('\0alice\0secret')
        return new Promise(resolve => (give = resolve))
      },
      next: () => null,
    }),
  }))
  gate.password = 'other'
  await clock.advance(9600)
  ask()
  await until(() => downs.length === 1)
  gate.password = 'secret'
  gate.asked = ''
  isWaiting = true
  ask()
  await clock.advance(150)
  await until(() => gate.asked === '+')
  await settle()
  give(Buffer.from('\0alice\0secret'))
  lane.retryNow()
  await until(() => done.length === 2)
  assert.equal(broker.connections, 2)
  assert.equal(downs.length, 1)
})

test('a broker that does not answer is given up after socket.timeout.ms', async () => {
  const { gate, broker, clock, ask, done, downs } = await start()
  await clock.advance(9600)
  gate.isHolding = true
  ask()
  await until(() => gate.asked === '+')
  await clock.advance(2999)
  assert.equal(downs.length, 0)
  await clock.advance(1)
  assert.equal(downs[0]?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(downs[0].message, /re-authentication took longer than 3000 ms/)
  gate.release()
  await clock.advance(150)
  await until(() => done.length === 1)
  assert.equal(broker.connections, 2)
})

test('while a token is requested, requests pass until the session is about to end', async () => {
  const waiting: ((token: Buffer) => void)[] = []
  let count = 0
  const { gate, broker, clock, ask, done } = await start(0, () => ({
    name: 'PLAIN',
    exchange: () => ({
      start: () => {
        if (count++ === 0) return Buffer.from('\0alice\0secret')
        return new Promise<Buffer>(resolve => waiting.push(resolve))
      },
      next: () => null,
    }),
  }))
  await clock.advance(8600)
  ask('a')
  ask('b')
  await until(() => done.length === 2)
  assert.equal(gate.asked, 'hh')
  await clock.advance(950)
  ask('c')
  await settle()
  assert.equal(gate.asked, 'hh')
  waiting[0]?.(Buffer.from('\0alice\0secret'))
  await until(() => done.length === 3)
  assert.equal(gate.asked, 'hh+th')
  assert.equal(broker.connections, 1)
})

test('without a token, what is in flight is rejected as possibly carried out', async () => {
  let count = 0
  const { gate, clock, ask, failed, downs } = await start(0, () => ({
    name: 'PLAIN',
    exchange: () => ({
      start: () => {
        if (count++ === 0) return Buffer.from('\0alice\0secret')
        return Promise.reject(new Error('no token today'))
      },
      next: () => null,
    }),
  }))
  gate.isHolding = true
  ask()
  await until(() => gate.asked === 'h')
  await clock.advance(8600)
  ask()
  await until(() => downs.length === 1)
  assert.match(String(downs[0]?.message), /no token today/)
  assert.equal(failed[0]?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.equal(failed[0].sent, true)
})

test('closing during a renewal leaves nothing behind', async () => {
  const { lane, gate, clock, ask, failed } = await start()
  await clock.advance(9600)
  gate.isHolding = true
  ask()
  await until(() => gate.asked === '+')
  lane.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
  await settle()
  assert.equal(failed[0]?.code, ErrorCode.ERR__DESTROY)
  assert.equal(clock.pendingTimers, 0)
})
