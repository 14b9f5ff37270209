/** The serdes of @confluentinc/schemaregistry and the embedded registry. */
import { EmbeddedCluster } from '@ottla/broker'
import { javascriptSchemas } from '../foreign/programs.ts'
import { schemaScenarios } from '../foreign/schemas/scenarios.ts'
import { everyTrait, javascriptTraits } from '../foreign/schemas/world.ts'

schemaScenarios(async () => {
  const cluster = await EmbeddedCluster.start({ schemaRegistry: true })
  const peer = await javascriptSchemas(cluster.schemaRegistryUrl)
  const close = async (): Promise<void> => {
    await peer.close()
    await cluster.close()
  }
  return { url: cluster.schemaRegistryUrl, peer, traits: { ...everyTrait, ...javascriptTraits }, close }
})
