import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { ErrorCode, KafkaError, type Metadata } from 'ottla'
import { firstContact, type Contactable } from '../../src/client/connect.ts'

const metadata: Metadata = { clusterId: 'c', controllerId: 1, brokers: [], topics: [] }

/** A client whose metadata the test decides, and which reports the errors that the test emits. */
class FakeClient implements Contactable {
  readonly #events = new EventEmitter()
  answer: (metadata: Metadata) => void = () => undefined

  getMetadata(): Promise<Metadata> {
    return new Promise(resolve => (this.answer = resolve))
  }

  on(type: 'error', listener: (event: { type: 'error'; error: KafkaError }) => void): unknown {
    return this.#events.on(type, listener)
  }

  off(type: 'error', listener: (event: { type: 'error'; error: KafkaError }) => void): unknown {
    return this.#events.off(type, listener)
  }

  fail(code: ErrorCode, message: string): void {
    this.#events.emit('error', { type: 'error', error: new KafkaError(code, message) })
  }

  get listeners(): number {
    return this.#events.listenerCount('error')
  }
}

test('metadata that arrives despite transient errors is returned, and the listener removed', async () => {
  const client = new FakeClient()
  const contact = firstContact(client)
  client.fail(ErrorCode.ERR__TRANSPORT, 'refused')
  client.answer(metadata)
  assert.equal(await contact, metadata)
  assert.equal(client.listeners, 0)
})

test('when all brokers are down, the error is the reason reported before', async () => {
  const client = new FakeClient()
  const contact = firstContact(client)
  client.fail(ErrorCode.ERR__TRANSPORT, 'refused')
  client.fail(ErrorCode.ERR__ALL_BROKERS_DOWN, 'all down')
  await assert.rejects(contact, { message: 'refused' })
  assert.equal(client.listeners, 0)
})

test('without a reason, all brokers down is the error', async () => {
  const client = new FakeClient()
  const contact = firstContact(client)
  client.fail(ErrorCode.ERR__ALL_BROKERS_DOWN, 'all down')
  await assert.rejects(contact, { message: 'all down' })
})

test('refused credentials reject at once', async () => {
  const client = new FakeClient()
  const contact = firstContact(client)
  client.fail(ErrorCode.ERR__AUTHENTICATION, 'wrong password')
  await assert.rejects(contact, { message: 'wrong password' })
})
