import { authorizationScenarios } from '../behaviour/authorization.ts'
import { sharedKafka } from '../harness/shared.ts'

authorizationScenarios(async () => {
  const kafka = await sharedKafka('secured')
  const admin = { username: 'admin', password: 'adminpassword' }
  return { bootstrapServers: kafka.bootstrapServers, admin, close: () => kafka.close() }
})
