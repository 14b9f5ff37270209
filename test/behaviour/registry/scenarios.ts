/** What a registry has to do for Confluent's clients, and so for ours. */
import { after, before } from 'node:test'
import { compatibilityScenarios } from './compatibility.ts'
import { deleteScenarios } from './deletes.ts'
import { extraScenarios } from './extras.ts'
import { formatScenarios } from './formats.ts'
import { serdesScenarios } from './serdes.ts'
import { subjectScenarios } from './subjects.ts'
import { clientOf, type RegistryWorld } from './world.ts'

/** @param start a registry of which the scenarios are the only users */
export function registryScenarios(start: () => Promise<RegistryWorld>): void {
  let world: RegistryWorld

  before(async () => {
    world = await start()
    // Apicurio's level NONE of a subject is the registry's level: with NONE here it is the same in both. It only takes a
    // NONE that takes the place of something.
    for (const level of ['BACKWARD', 'NONE'] as const) await clientOf(world).setConfig(level)
  })

  after(() => world.close())

  subjectScenarios(() => world)
  deleteScenarios(() => world)
  compatibilityScenarios(() => world)
  extraScenarios(() => world)
  formatScenarios(() => world)
  serdesScenarios(() => world)
}
