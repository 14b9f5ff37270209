import type { Socket } from 'node:net'
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Heartbeat, HeartbeatServer, encodeResponse } from '@ottla/protocol'
import { systemClock } from '../../src/base/clock.ts'
import { Lane, type LaneSettings } from '../../src/network/lane.ts'
import { RequestError } from '../../src/network/request-error.ts'
import { Logger } from '../../src/observe/logger.ts'
import { laneSettings as settings } from './lane-settings.ts'
import { ScriptedBroker, type Asked } from './scripted-broker.ts'

const body = { groupId: 'g', generationId: 1, memberId: 'm' }
const options = { timeoutMs: 3000 }
const lanes: Lane[] = []
const brokers: ScriptedBroker[] = []

after(async () => {
  for (const lane of lanes) lane.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
  for (const broker of brokers) await broker.close()
})

async function start(
  script: (asked: Asked) => void,
  changes: Partial<LaneSettings> = {},
): Promise<{ lane: Lane; broker: ScriptedBroker; downs: RequestError[]; throttles: number[] }> {
  const broker = await ScriptedBroker.start(script)
  const downs: RequestError[] = []
  const throttles: number[] = []
  const endpoint = { host: '127.0.0.1', port: broker.port, name: `127.0.0.1:${broker.port}/1` }
  const lane = new Lane(
    endpoint,
    { ...settings, ...changes },
    systemClock,
    () => 0.5,
    new Logger(() => undefined, 0, new Set()),
    {
      onUp: () => undefined,
      onDown: error => downs.push(error),
      onThrottle: ms => throttles.push(ms),
    },
  )
  lanes.push(lane)
  brokers.push(broker)
  return { lane, broker, downs, throttles }
}

function answer({ header, socket }: Asked, errorCode = 0, throttleTimeMs = 0): void {
  const response = { throttleTimeMs, errorCode }
  for (const part of encodeResponse(HeartbeatServer, header.apiVersion, header.correlationId, response))
    socket.write(part)
}

function failsWith(code: number, sent: boolean, text: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof RequestError, String(error))
    assert.equal(error.code, code, error.message)
    assert.equal(error.sent, sent)
    assert.match(error.message, text)
    return true
  }
}

test('requests made while connecting are sent in order, and many wait at once', async () => {
  const asked: Asked[] = []
  const { lane, broker } = await start(each => {
    asked.push(each)
    if (asked.length === 3) asked.forEach((one, i) => answer(one, i))
  })
  const answers = await Promise.all([1, 2, 3].map(() => lane.request(Heartbeat, body, options)))
  assert.deepEqual(
    answers.map(response => response.errorCode),
    [0, 1, 2],
  )
  assert.equal(broker.connections, 1)
})

test('a response out of order closes the connection: nothing behind it could be trusted', async () => {
  const { lane } = await start(asked => answer({ ...asked, header: { ...asked.header, correlationId: 4711 } }))
  await assert.rejects(lane.request(Heartbeat, body, options), failsWith(ErrorCode.ERR__BAD_MSG, true, /4711/))
})

test('garbage is reported as such, and the next request goes over a new connection', async () => {
  let count = 0
  const { lane, broker } = await start(asked => {
    if (++count === 1) asked.socket.write('HTTP/1.1 400 Bad Request')
    else answer(asked)
  })
  await assert.rejects(
    lane.request(Heartbeat, body, options),
    failsWith(
      ErrorCode.ERR__BAD_MSG,
      true,
      /a frame of 1213486160 bytes, .*receive\.message\.max\.bytes sets the limit/,
    ),
  )
  assert.equal((await lane.request(Heartbeat, body, options)).errorCode, 0)
  assert.equal(broker.connections, 2)
})

test('a response that does not come in time ends the connection and all requests behind it', async () => {
  const { lane } = await start(() => undefined)
  const late = assert.rejects(
    lane.request(Heartbeat, body, { timeoutMs: 300 }),
    failsWith(ErrorCode.ERR__TIMED_OUT, true, /no answer to Heartbeat/),
  )
  const behind = assert.rejects(
    lane.request(Heartbeat, body, options),
    failsWith(ErrorCode.ERR__TRANSPORT, true, /connection closed/),
  )
  await Promise.all([late, behind])
})

test('a lost connection rejects what is in flight as possibly sent', async () => {
  const { lane, downs } = await start(asked => asked.socket.destroy())
  await assert.rejects(lane.request(Heartbeat, body, options), failsWith(ErrorCode.ERR__TRANSPORT, true, /lost/))
  assert.equal(downs.length, 1)
})

test('without a connection requests reject as certainly not sent', async () => {
  const { lane, broker } = await start(() => undefined)
  await broker.close()
  await assert.rejects(
    lane.request(Heartbeat, body, options),
    failsWith(ErrorCode.ERR__TRANSPORT, false, /cannot connect/),
  )
})

for (const [what, code, text, fail] of [
  ['is lost', ErrorCode.ERR__TRANSPORT, /before it had answered/, (socket: Socket) => void socket.destroy()],
  ['brings garbage', ErrorCode.ERR__BAD_MSG, /HTTP/, (socket: Socket) => void socket.write('HTTP/1.1 400 Bad Request')],
  ['gets no answer', ErrorCode.ERR__TIMED_OUT, /no answer to ApiVersions/, () => undefined],
] as const) {
  test(`requests that wait for a connection that ${what} in its handshake reject as not sent`, async () => {
    const handshake = { ...settings.handshake, apiVersionTimeoutMs: 200 }
    const { lane, broker } = await start(() => undefined, { handshake })
    broker.isSilent = true
    broker.onHeld = fail
    const waiting = [1, 2].map(() =>
      assert.rejects(lane.request(Heartbeat, body, options), failsWith(code, false, text)),
    )
    await Promise.all(waiting)
  })
}

test('closing rejects all waits and leaves nothing behind', async () => {
  const { lane } = await start(() => undefined)
  const waiting = assert.rejects(
    lane.request(Heartbeat, body, options),
    failsWith(ErrorCode.ERR__DESTROY, false, /over/),
  )
  lane.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
  await waiting
  await assert.rejects(lane.request(Heartbeat, body, options), failsWith(ErrorCode.ERR__DESTROY, false, /over/))
})

test('closing rejects what is in flight as possibly sent', async () => {
  const over = new RequestError(ErrorCode.ERR__DESTROY, 'over', true)
  const { lane } = await start(() => lane.close(over))
  await assert.rejects(lane.request(Heartbeat, body, options), failsWith(ErrorCode.ERR__DESTROY, true, /over/))
})

test('a shorter throttle time does not end a longer one, and waiting requests are sent after it', async () => {
  const asked: Asked[] = []
  const { lane } = await start(each => {
    asked.push(each)
    if (asked.length === 2) {
      answer(asked[0] as Asked, 0, 150) // there are two
      answer(each, 0, 20)
    } else if (asked.length > 2) answer(each)
  })
  await Promise.all([lane.request(Heartbeat, body, options), lane.request(Heartbeat, body, options)])
  assert.equal((await lane.request(Heartbeat, body, options)).errorCode, 0)
  assert.equal(asked.length, 3)
})

test('a throttle time is reported, and respected before the next request', async () => {
  let asks = 0
  const { lane, throttles } = await start(asked => {
    asks++
    answer(asked, 0, asks === 1 ? 60 : 0)
  })
  await lane.request(Heartbeat, body, options)
  assert.deepEqual(throttles, [60])
  const second = lane.request(Heartbeat, body, options)
  assert.equal(asks, 1)
  await second
  assert.equal(asks, 2)
})

test('a frame over receive.message.max.bytes is refused before it is read', async () => {
  const { lane } = await start(asked => asked.socket.write(Buffer.from([0x7f, 0, 0, 0])))
  await assert.rejects(lane.request(Heartbeat, body, options), failsWith(ErrorCode.ERR__BAD_MSG, true, /the limit is/))
})

test('idle connections are closed after connections.max.idle.ms and reopened when needed', async () => {
  const idle = { ...settings.connection, maxIdleMs: 30 }
  const { lane, broker, downs } = await start(asked => answer(asked), { connection: idle })
  await lane.request(Heartbeat, body, options)
  while (downs.length === 0) await new Promise(resolve => setImmediate(resolve))
  assert.match(downs[0]?.message ?? '', /idle/)
  await lane.request(Heartbeat, body, options)
  assert.equal(broker.connections, 2)
})
