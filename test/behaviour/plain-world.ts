import { after, before } from 'node:test'
import { AdminClient, Producer } from 'ottla'

/** Some cluster without credentials, real or embedded. */
export interface PlainWorld {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** What every test of a file of scenarios needs of it. */
export interface PlainClients {
  readonly bootstrapServers: string
  readonly admin: AdminClient
  /** It sends at once. */
  readonly producer: Producer
}

/** The cluster of a file of scenarios, from before its first test until after its last. @param start a cluster */
export function plainClients(start: () => Promise<PlainWorld>): PlainClients {
  const logger = (): void => undefined
  let cluster: PlainWorld
  let admin: AdminClient
  let producer: Producer

  before(async () => {
    cluster = await start()
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    admin = new AdminClient(servers, { logger })
    producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger })
  })

  after(async () => {
    await producer.close()
    await admin.close()
    await cluster.close()
  })

  return {
    get bootstrapServers() {
      return cluster.bootstrapServers
    },
    get admin() {
      return admin
    },
    get producer() {
      return producer
    },
  }
}
