/** Serdes of somebody else beside ours, in the three formats. */
import { after, before } from 'node:test'
import { avroScenarios } from './avro.ts'
import { jsonScenarios } from './json.ts'
import { protobufScenarios } from './protobuf.ts'
import { Sides, type SchemaWorld } from './world.ts'

/**
 * @param start a registry, and a program with serdes that speaks with it
 * @param hasProtobuf whether the registry gives descriptors, which Confluent's deserializers ask for
 */
export function schemaScenarios(start: () => Promise<SchemaWorld>, hasProtobuf = true): void {
  let sides: Sides

  before(async () => {
    sides = new Sides(await start())
  })
  after(() => sides.world.close())

  avroScenarios(() => sides)
  if (hasProtobuf) protobufScenarios(() => sides)
  jsonScenarios(() => sides)
}
