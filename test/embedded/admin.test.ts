import { EmbeddedCluster } from '@ottla/broker'
import { adminScenarios } from '../behaviour/admin.ts'
import { passwords } from '../behaviour/world.ts'

adminScenarios(async () => {
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
