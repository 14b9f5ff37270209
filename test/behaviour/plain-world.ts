import { after, before } from 'node:test'
import { AdminClient, Producer } from 'ottla'

/** A cluster without credentials, real or embedded. */
export interface PlainWorld {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** What every test of a file needs of it. */
export interface PlainClients {
  readonly bootstrapServers: string
  readonly admin: AdminClient
  /** A producer without linger. */
  readonly producer: Producer
}

/** Starts a cluster before the first test of a file, and closes it after the last. @param start a cluster */
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
