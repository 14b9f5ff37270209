import { EmbeddedCluster } from '@ottla/broker'
import { seedScenarios } from '../behaviour/seed.ts'
import { passwords } from '../behaviour/world.ts'

seedScenarios(async () => {
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: { mechanisms: ['PLAIN'], users: passwords },
    acls: [],
    superUsers: ['User:admin'],
  })
  return {
    kind: 'embedded',
    bootstrapServers: cluster.bootstrapServers,
    kill: id => cluster.brokerDown(id),
    restart: id => cluster.brokerUp(id),
    close: () => cluster.close(),
  }
})
