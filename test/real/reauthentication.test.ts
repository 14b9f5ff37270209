import { reauthenticationScenarios } from '../behaviour/reauthentication.ts'
import { sharedKafka } from '../harness/shared.ts'

reauthenticationScenarios(async () => {
  const kafka = await sharedKafka('secured')
  const admin = { username: 'admin', password: 'adminpassword' }
  return { bootstrapServers: kafka.bootstrapServers, admin, close: () => kafka.close() }
})
