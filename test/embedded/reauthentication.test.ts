import { EmbeddedCluster } from '@ottla/broker'
import { reauthenticationScenarios } from '../behaviour/reauthentication.ts'

reauthenticationScenarios(async () => {
  const admin = { username: 'admin', password: 'adminpassword' }
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: {
      mechanisms: ['PLAIN', 'SCRAM-SHA-512'],
      users: { [admin.username]: admin.password },
      maxReauthMs: 1500,
    },
    acls: [],
    superUsers: ['admin'],
  })
  return { bootstrapServers: cluster.bootstrapServers, admin, close: () => cluster.close() }
})
