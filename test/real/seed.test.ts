import { seedScenarios } from '../behaviour/seed.ts'
import { sharedKafka } from '../harness/shared.ts'

seedScenarios(async () => {
  const cluster = await sharedKafka('secured')
  // The brokers are shared with other test files.
  const refuse = (): Promise<never> => Promise.reject(new Error('a shared broker is not to be killed'))
  const { bootstrapServers } = cluster
  return { kind: 'kafka', bootstrapServers, kill: refuse, restart: refuse, close: () => cluster.close() }
})
