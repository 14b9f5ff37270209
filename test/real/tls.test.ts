/** Clients over TLS to real brokers, on their listeners with certificates and with SASL. */
import { tlsScenarios, type TlsWorld } from '../behaviour/tls.ts'
import { Authority } from '../harness/certificates.ts'
import { sharedKafka } from '../harness/shared.ts'

tlsScenarios(async (): Promise<TlsWorld> => {
  const cluster = await sharedKafka('secured')
  const { tls } = cluster
  if (tls === undefined) throw new Error('the shared cluster has no TLS listeners')
  return {
    certificateServers: tls.certificateServers,
    passwordServers: tls.passwordServers,
    plainServers: cluster.plainBootstrapServers,
    authority: Authority.at(tls.authorityFolder),
    brokers: [{ certFile: tls.brokerCertFile }],
    close: () => cluster.close(),
  }
})
