import { EmbeddedCluster } from '@ottla/broker'
import { passwords, type World } from '../behaviour/world.ts'

/** Three embedded brokers with SASL and ACLs, as the real ones of test/real/worlds.ts. */
export async function embeddedWorld(): Promise<World> {
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
}
