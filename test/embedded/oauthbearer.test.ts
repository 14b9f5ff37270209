import { EmbeddedCluster } from '@ottla/broker'
import { oauthScenarios } from '../behaviour/oauthbearer.ts'
import { unsecured } from '../harness/unsecured-token.ts'

oauthScenarios(async () => {
  const cluster = await EmbeddedCluster.start({
    sasl: { mechanisms: ['OAUTHBEARER'], maxReauthMs: 600_000 },
  })
  return {
    bootstrapServers: cluster.bootstrapServers,
    token: unsecured,
    badToken: { ...unsecured('alice', 3600), tokenValue: 'bm8.dG9rZW4.bGlrZS10aGF0' },
    close: () => cluster.close(),
  }
})
