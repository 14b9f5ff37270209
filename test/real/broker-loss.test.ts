import { brokerLossScenarios } from '../behaviour/broker-loss.ts'
import { passwords } from '../behaviour/world.ts'
import { startKafka } from '../harness/kafka.ts'

brokerLossScenarios(async () => {
  const cluster = await startKafka({ brokers: 3, sasl: { users: passwords }, acls: true, superUsers: ['admin'] })
  const broker = (id: number): (typeof cluster.brokers)[number] => {
    const found = cluster.brokers.find(each => each.id === id)
    if (found === undefined) throw new Error(`there is no broker ${id}`)
    return found
  }
  return {
    kind: 'kafka',
    bootstrapServers: cluster.bootstrapServers,
    kill: id => broker(id).kill9(),
    restart: id => broker(id).restart(),
    close: () => cluster.close(),
  }
})
