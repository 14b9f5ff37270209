import { scramScenarios } from '../behaviour/scram.ts'
import { sharedKafka } from '../harness/shared.ts'

scramScenarios(async () => {
  const kafka = await sharedKafka('secured')
  const admin = { username: 'admin', password: 'adminpassword' }
  return { bootstrapServers: kafka.bootstrapServers, admin, close: () => kafka.close() }
})
