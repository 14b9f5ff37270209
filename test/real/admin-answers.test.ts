import { adminAnswerScenarios } from '../behaviour/admin-answers.ts'
import { sharedKafka } from '../harness/shared.ts'

adminAnswerScenarios(async () => {
  const cluster = await sharedKafka('secured')
  return { bootstrapServers: cluster.plainBootstrapServers, close: () => cluster.close() }
})
