/** Clients over TLS on embedded clusters, one for each kind of listener. */
import { EmbeddedCluster } from '@ottla/broker'
import { tlsScenarios, type TlsWorld } from '../behaviour/tls.ts'
import { passwords } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'

tlsScenarios(async (): Promise<TlsWorld> => {
  const authority = Authority.make('Embedded')
  const broker = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const { key, cert } = broker
  const common = { key, cert, ca: authority.cert }
  const principal = (subject: string): string => /CN=([^,]+)/.exec(subject)?.[1] ?? subject
  const certificates = await EmbeddedCluster.start({
    tls: { ...common, clientAuth: 'required', principal },
    acls: [],
    superUsers: ['admin'],
  })
  const sasl = await EmbeddedCluster.start({ tls: common, sasl: { mechanisms: ['PLAIN'], users: passwords } })
  const plain = await EmbeddedCluster.start()
  const clusters = [certificates, sasl, plain]
  return {
    certificateServers: certificates.bootstrapServers,
    passwordServers: sasl.bootstrapServers,
    plainServers: plain.bootstrapServers,
    authority,
    brokers: [broker],
    close: async () => {
      await Promise.all(clusters.map(cluster => cluster.close()))
    },
  }
})
