/** confluent-kafka's serdes for Python and Apicurio's registry. */
import { pythonSchemas } from '../foreign/programs.ts'
import { schemaScenarios } from '../foreign/schemas/scenarios.ts'
import { apicurioTraits, everyTrait } from '../foreign/schemas/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

schemaScenarios(async () => {
  const apicurio = await startApicurio()
  const peer = await pythonSchemas(apicurio.url)
  const close = async (): Promise<void> => {
    await peer.close()
    await apicurio.close()
  }
  return { url: apicurio.url, peer, traits: { ...everyTrait, ...apicurioTraits }, close }
})
