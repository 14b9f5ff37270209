import { EmbeddedCluster } from '@ottla/broker'
import { registryScenarios } from '../behaviour/registry/scenarios.ts'
import { everything } from '../behaviour/registry/world.ts'

registryScenarios(async () => {
  const cluster = await EmbeddedCluster.start({ schemaRegistry: true })
  return { url: cluster.schemaRegistryUrl, traits: everything, close: () => cluster.close() }
})
