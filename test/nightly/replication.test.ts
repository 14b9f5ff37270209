import { setTimeout as sleep } from 'node:timers/promises'
import { replicationScenarios } from '../behaviour/replication.ts'
import { startKafka, type KafkaBroker } from '../harness/kafka.ts'

// A leader answers fetches that wait for messages after this time.
const FETCH_WAIT_MS = 100

replicationScenarios(async () => {
  const cluster = await startKafka({ brokers: 3, config: { 'replica.fetch.wait.max.ms': String(FETCH_WAIT_MS) } })
  const broker = (id: number): KafkaBroker => {
    const found = cluster.brokers.find(each => each.id === id)
    if (found === undefined) throw new Error(`there is no broker ${id}`)
    return found
  }
  return {
    bootstrapServers: cluster.bootstrapServers,
    kill: id => broker(id).kill9(),
    restart: id => broker(id).restart(),
    hold: async (...ids) => {
      for (const id of ids) broker(id).pause()
      // Fetches that were already waiting would bring the brokers one message more.
      await sleep(10 * FETCH_WAIT_MS)
    },
    release: (...ids) => {
      for (const id of ids) broker(id).resume()
    },
    close: () => cluster.close(),
  }
})
