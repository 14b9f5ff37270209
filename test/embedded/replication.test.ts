import { EmbeddedCluster } from '@ottla/broker'
import { replicationScenarios } from '../behaviour/replication.ts'

replicationScenarios(async () => {
  const cluster = await EmbeddedCluster.start({ brokers: 3, replication: 'simulated' })
  return {
    bootstrapServers: cluster.bootstrapServers,
    kill: id => cluster.brokerDown(id),
    restart: id => cluster.brokerUp(id),
    hold: (...ids) => {
      for (const id of ids) cluster.stopReplication(id)
      return Promise.resolve()
    },
    release: (...ids) => {
      for (const id of ids) cluster.resumeReplication(id)
    },
    close: () => cluster.close(),
  }
})
