import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { node, root } from './program.ts'

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
})
after(() => cluster.close())

test('a process that closed its clients ends by itself, with no socket or timer left', async () => {
  const program = join(root, 'test', 'package', 'programs', 'resources.cjs')
  const { code, out, err } = await node([program, cluster.bootstrapServers])
  assert.equal(code, 0, err)
  assert.equal(out, '[]\n')
})

test('clients that never reached a broker leave nothing behind either', async () => {
  const program = `
    const { AdminClient, Consumer, Producer } = require('ottla')
    const settings = { 'bootstrap.servers': '127.0.0.1:1', 'group.id': 'g' }
    const quiet = { logger: () => {} }
    const clients = [new AdminClient(settings, quiet), new Producer(settings, quiet), new Consumer(settings, quiet)]
    clients[2].subscribe('nothing')
    setTimeout(() => Promise.all(clients.map(c => c.close())).then(() => console.log('closed')), 300)
  `
  const { code, out, err } = await node(['-e', program])
  assert.deepEqual({ code, out }, { code: 0, out: 'closed\n' }, err)
})

test('test clusters that nobody closed keep no process alive, with connections or without', async () => {
  const program = join(root, 'test', 'package', 'programs', 'left-cluster.mjs')
  const { code, out, err } = await node([program])
  assert.deepEqual({ code, out }, { code: 0, out: 'left\n' }, err)
})
