// Runs the shared clusters of `npm test`: prints its port, starts a cluster when the first file asks for it, and exits
// when its standard input ends. A line `failed` on standard input keeps the brokers' logs.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { startKafka, type KafkaCluster } from './kafka.ts'
import { sharedClusters, type SharedName } from './shared.ts'

const clusters = new Map<SharedName, Promise<KafkaCluster>>()

const server = createServer(socket => {
  socket.on('error', () => undefined)
  socket.once('data', line => {
    const name = line.toString().trim() as SharedName
    clusterOf(name).then(
      ({ bootstrapServers, plainBootstrapServers, dataFolder, tls }) => {
        socket.end(JSON.stringify({ bootstrapServers, plainBootstrapServers, dataFolder, tls }))
      },
      (error: unknown) => {
        socket.end(JSON.stringify({ failed: String(error) }))
      },
    )
  })
})

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})

const input = createInterface({ input: process.stdin })
input.on('line', line => {
  if (line === 'failed') process.exitCode = 1
})
input.once('close', () => {
  server.close()
  void Promise.allSettled(clusters.values()).then(async outcomes => {
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.close()
  })
})

function clusterOf(name: SharedName): Promise<KafkaCluster> {
  let cluster = clusters.get(name)
  if (cluster === undefined) {
    cluster = startKafka(sharedClusters[name])
    clusters.set(name, cluster)
  }
  return cluster
}
