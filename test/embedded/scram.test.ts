import { EmbeddedCluster } from '@ottla/broker'
import { scramScenarios } from '../behaviour/scram.ts'

scramScenarios(async () => {
  const admin = { username: 'admin', password: 'adminpassword' }
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], users: { [admin.username]: admin.password } },
    acls: [],
    superUsers: ['admin'],
  })
  return { bootstrapServers: cluster.bootstrapServers, admin, close: () => cluster.close() }
})
