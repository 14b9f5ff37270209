/** The scenarios of registries, played on Apicurio's, which keeps its schemas in an embedded cluster. */
import { tmpdir } from 'node:os'
import { EmbeddedCluster } from '@ottla/broker'
import { registryScenarios } from '../behaviour/registry/scenarios.ts'
import { apicurioTraits } from '../behaviour/registry/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

registryScenarios(async () => {
  const cluster = await EmbeddedCluster.start()
  // It is asked for no snapshot, and so writes none.
  const apicurio = await startApicurio({ bootstrapServers: cluster.bootstrapServers, snapshots: tmpdir() })
  const close = async (): Promise<void> => {
    await apicurio.close()
    await cluster.close()
  }
  return { url: apicurio.url, traits: apicurioTraits, close }
})
