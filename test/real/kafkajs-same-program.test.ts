import { Consumer } from 'ottla'
import { sameProgramScenarios } from '../behaviour/kafkajs/same-program.ts'
import { fresh } from '../behaviour/world.ts'
import { sharedKafka } from '../harness/shared.ts'

sameProgramScenarios(async () => {
  const kafka = await sharedKafka('single')
  // kafkajs crashes, and starts again, as long as a new cluster has no coordinators.
  const consumer = new Consumer({ 'bootstrap.servers': kafka.bootstrapServers, 'group.id': fresh('group') })
  await consumer.committed([{ topic: fresh('topic'), partition: 0 }])
  await consumer.close()
  return kafka
})
