import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient } from '../../src/admin/admin.ts'
import { Consumer } from '../../src/consumer/consumer.ts'
import { Producer } from '../../src/producer/producer.ts'

test('without client.id it has the name of the program', async () => {
  const producer = new Producer({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: (): void => undefined })
  await producer.close(0)
  assert.match(producer.name, /^client-name\.test#producer-\d+$/)
})

test('a client has a name of its own, as in logs and statistics', async () => {
  const config = { 'bootstrap.servers': '127.0.0.1:1', 'client.id': 'billing' }
  const options = { logger: (): void => undefined }
  const clients = [new Producer(config, options), new Consumer(config, options), new AdminClient(config, options)]
  try {
    const names = clients.map(({ name }) => name)
    assert.match(names.join(' '), /^billing#producer-\d+ billing#consumer-\d+ billing#admin-\d+$/)
  } finally {
    await Promise.all(clients.map(client => client.close()))
  }
})
