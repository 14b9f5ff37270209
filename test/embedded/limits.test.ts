import { EmbeddedCluster } from '@ottla/broker'
import { limitScenarios } from '../behaviour/limits.ts'
import { passwords } from '../behaviour/world.ts'

limitScenarios(async () => {
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
