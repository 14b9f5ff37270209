/** The scenarios of registries, played on one of somebody else. */
import { registryScenarios } from '../behaviour/registry/scenarios.ts'
import { apicurioTraits } from '../behaviour/registry/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

registryScenarios(async () => {
  const apicurio = await startApicurio()
  return { url: apicurio.url, traits: apicurioTraits, close: () => apicurio.close() }
})
