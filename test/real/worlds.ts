import { passwords, type World } from '../behaviour/world.ts'
import { startKafka } from '../harness/kafka.ts'
import { sharedKafka } from '../harness/shared.ts'

/** The run's three brokers with SASL and ACLs; other test files use them too, so that none may be killed. */
export async function securedKafka(): Promise<World> {
  const cluster = await sharedKafka('secured')
  const refuse = (): Promise<never> => Promise.reject(new Error('a shared broker is not to be killed'))
  const { bootstrapServers } = cluster
  return { kind: 'kafka', bootstrapServers, kill: refuse, restart: refuse, close: () => cluster.close() }
}

/** The same for one test file alone, whose brokers may be killed. */
export async function ownSecuredKafka(): Promise<World> {
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
}
