/** kafkajs-lz4 with the facade: it is compiled where it is installed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { kafkajsProject, type CodecCalls } from './kafkajs-project.ts'

test('kafkajs-lz4 compresses what is sent, and reads it', async () => {
  const project = await kafkajsProject({ 'kafkajs-lz4': '1.2.1' })
  await using cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
  try {
    const args = [cluster.bootstrapServers, 'LZ4', 'kafkajs-lz4']
    // Compiled for the Node.js that has installed it.
    const { calls, count } = (await project.run('codecs.mjs', args, process.execPath)) as CodecCalls
    assert.equal(count, 50)
    assert.ok(calls.compress > 0 && calls.decompress > 0, JSON.stringify(calls))
  } finally {
    project.remove()
  }
})
