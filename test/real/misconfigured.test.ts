/** Clients that cannot reach real brokers as they are configured, among them one that is told the port of a controller. */
import { AdminClient } from 'ottla'
import { misconfiguredScenarios, type MisconfiguredWorld } from '../behaviour/misconfigured.ts'
import { passwords } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'
import { sharedKafka } from '../harness/shared.ts'

misconfiguredScenarios(async (): Promise<MisconfiguredWorld> => {
  const { tls, bootstrapServers, plainBootstrapServers, close } = await sharedKafka('secured')
  if (tls === undefined) throw new Error('the shared cluster has no TLS listeners')
  // One of each: which of several fails first is nobody's business.
  const first = (servers: string): string => servers.split(',')[0] ?? ''
  return {
    plainServers: first(plainBootstrapServers),
    passwordServers: first(bootstrapServers),
    tlsServers: first(tls.passwordServers),
    authority: Authority.at(tls.authorityFolder).certFile,
    user: 'admin',
    password: passwords['admin'] ?? '',
    certificateServers: first(tls.certificateServers),
    controllers: await controllerOf(plainBootstrapServers),
    close,
  }
})

async function controllerOf(servers: string): Promise<string> {
  const admin = new AdminClient({ 'bootstrap.servers': servers })
  try {
    const { nodes } = await admin.describeMetadataQuorum()
    const listener = nodes[0]?.listeners[0]
    if (listener === undefined) throw new Error('no controller tells where it listens')
    return `${listener.host}:${listener.port}`
  } finally {
    await admin.close()
  }
}
