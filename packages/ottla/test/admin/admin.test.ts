import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { AdminClient } from '../../src/admin/admin.ts'
import { AuthenticatedClient } from '../../src/cluster/authenticated-client.ts'
import { Cluster } from '../../src/cluster/cluster.ts'
import { createContext } from '../../src/cluster/context.ts'
import { clientHandle, type ClientHandle } from '../../src/cluster/handle.ts'
import { ClientInsight, clientInsight } from '../../src/cluster/insight.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { KafkaError } from '../../src/errors.ts'

// Nobody listens there.
const settings = { 'bootstrap.servers': '127.0.0.1:1' }
const quiet = { logger: (): void => undefined }

/** A client of another kind. */
class Shared extends AuthenticatedClient {
  readonly [clientHandle]: ClientHandle
  readonly [clientInsight]: ClientInsight

  constructor(handle: ClientHandle) {
    super()
    this[clientHandle] = handle
    const nothing = { conditions: () => [], explain: () => [], statistics: () => assert.fail() }
    this[clientInsight] = new ClientInsight(handle.context, nothing, false)
  }
}

function withCode(code: number, words = /./): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === code && words.test(error.message)
}

test('a configuration that cannot work is refused by the constructor', () => {
  assert.throws(
    () => new AdminClient({ ...settings, 'socket.timeout.ms': -7 }),
    withCode(ErrorCode.ERR__INVALID_ARG, /-7/),
  )
})

test('a call on a closed client rejects with ERR__STATE, and closing twice is harmless', async () => {
  const admin = new AdminClient(settings, quiet)
  assert.equal(admin.closed, false)
  await admin.close()
  await admin.close()
  assert.equal(admin.closed, true)
  await assert.rejects(admin.createTopics([{ topic: 'a' }]), withCode(ErrorCode.ERR__STATE, /closed/))
})

test('a call under way when the client is closed rejects with ERR__DESTROY', async () => {
  const admin = new AdminClient(settings, quiet)
  const call = admin.clusterId()
  await admin.close()
  await assert.rejects(call, withCode(ErrorCode.ERR__DESTROY))
})

test('timeouts out of range are refused', async () => {
  await using admin = new AdminClient(settings, quiet)
  const call = admin.deleteTopics(['a'], { requestTimeoutMs: -2 })
  await assert.rejects(call, withCode(ErrorCode.ERR__INVALID_ARG, /requestTimeoutMs.*-2/))
})

test('without a broker a call ends at its deadline and says why', async () => {
  await using admin = new AdminClient({ ...settings, 'retry.backoff.ms': 1, 'reconnect.backoff.ms': 1 }, quiet)
  await assert.rejects(admin.clusterId({ requestTimeoutMs: 50 }), withCode(ErrorCode.ERR__TIMED_OUT, /127\.0\.0\.1:1/))
})

test('an aborted call rejects with the reason of its signal', async () => {
  await using admin = new AdminClient(settings, quiet)
  const abort = new AbortController()
  const call = admin.clusterId({ signal: abort.signal })
  const reason = new Error('enough')
  abort.abort(reason)
  await assert.rejects(call, reason)
})

test('closing a client made from another one leaves the other alone', async () => {
  const context = createContext('producer', resolveConfig('producer', settings), quiet)
  const cluster = new Cluster(context)
  const shared = AdminClient.from(new Shared({ context, cluster }))
  await shared.close()
  await assert.rejects(shared.clusterId(), withCode(ErrorCode.ERR__STATE))
  assert.equal(cluster.closed, false)
  cluster.close()
})
