import { EmbeddedCluster } from '@ottla/broker'
import { brokerLossScenarios } from '../behaviour/broker-loss.ts'
import { passwords } from '../behaviour/world.ts'

brokerLossScenarios(async () => {
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: { mechanisms: ['PLAIN'], users: passwords },
    acls: [],
    superUsers: ['admin'],
  })
  return {
    kind: 'embedded',
    bootstrapServers: cluster.bootstrapServers,
    kill: id => cluster.brokerDown(id),
    restart: id => cluster.brokerUp(id),
    close: () => cluster.close(),
  }
})
