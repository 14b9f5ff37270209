/** Serdes of somebody else beside ours, in the three formats. */
import { after, before } from 'node:test'
import { avroScenarios } from './avro.ts'
import { jsonScenarios } from './json.ts'
import { protobufScenarios } from './protobuf.ts'
import { Sides, type SchemaWorld } from './world.ts'

/** @param start a registry, and a program with serdes that speaks with it */
export function schemaScenarios(start: () => Promise<SchemaWorld>): void {
  let sides: Sides

  before(async () => {
    sides = new Sides(await start())
  })
  after(() => sides.world.close())

  avroScenarios(() => sides)
  protobufScenarios(() => sides)
  jsonScenarios(() => sides)
}
