/** The serdes of @confluentinc/schemaregistry and Apicurio's registry. */
import { javascriptSchemas } from '../foreign/programs.ts'
import { schemaScenarios } from '../foreign/schemas/scenarios.ts'
import { apicurioTraits, everyTrait, javascriptTraits, type SchemaWorld } from '../foreign/schemas/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

const start = async (): Promise<SchemaWorld> => {
  const apicurio = await startApicurio()
  const peer = await javascriptSchemas(apicurio.url)
  const close = async (): Promise<void> => {
    await peer.close()
    await apicurio.close()
  }
  return { url: apicurio.url, peer, traits: { ...everyTrait, ...apicurioTraits, ...javascriptTraits }, close }
}

// It knows no `format=serialized`.
schemaScenarios(start, false)
