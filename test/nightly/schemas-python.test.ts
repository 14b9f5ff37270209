/** confluent-kafka's serdes for Python and Apicurio's registry. */
import { pythonSchemas } from '../foreign/programs.ts'
import { schemaScenarios } from '../foreign/schemas/scenarios.ts'
import { apicurioTraits, everyTrait, type SchemaWorld } from '../foreign/schemas/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

const start = async (): Promise<SchemaWorld> => {
  const apicurio = await startApicurio()
  const peer = await pythonSchemas(apicurio.url)
  const close = async (): Promise<void> => {
    await peer.close()
    await apicurio.close()
  }
  return { url: apicurio.url, peer, traits: { ...everyTrait, ...apicurioTraits }, close }
}

// It knows no `format=serialized`.
schemaScenarios(start, false)
