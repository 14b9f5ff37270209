import { EmbeddedCluster } from '@ottla/broker'
import { authorizationScenarios } from '../behaviour/authorization.ts'

authorizationScenarios(async () => {
  const admin = { username: 'admin', password: 'adminpassword' }
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256'], users: { [admin.username]: admin.password } },
    acls: [],
    superUsers: ['admin'],
  })
  return { bootstrapServers: cluster.bootstrapServers, admin, close: () => cluster.close() }
})
