/** A cluster in a process of its own: it answers while the program that uses it computes. */
import { appendFileSync } from 'node:fs'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '@ottla/broker'

const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedClusterOptions
const cluster = await EmbeddedCluster.start(options)
cluster.createTopic('t', { partitions: 2, replicationFactor: 1 })
// A byte for each turn: what a program that computes can see of this process.
const turns = process.argv[3]
if (turns !== undefined) setInterval(() => appendFileSync(turns, '.'), 5)
process.send?.(cluster.bootstrapServers)
process.on('message', () => process.send?.(cluster.messages('t').map(({ value }) => String(value))))
process.once('disconnect', () => process.exit())
