/** confluent-kafka's serdes for Python and the embedded registry. */
import { EmbeddedCluster } from '@ottla/broker'
import { pythonSchemas } from './programs.ts'
import { schemaScenarios } from './schemas/scenarios.ts'
import { everyTrait } from './schemas/world.ts'

schemaScenarios(async () => {
  const cluster = await EmbeddedCluster.start({ schemaRegistry: true })
  const peer = await pythonSchemas(cluster.schemaRegistryUrl)
  const close = async (): Promise<void> => {
    await peer.close()
    await cluster.close()
  }
  return { url: cluster.schemaRegistryUrl, peer, traits: everyTrait, close }
})
