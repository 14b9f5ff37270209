/** A schema registry for development and tests. */
export { EmbeddedSchemaRegistry, type EmbeddedRegistryOptions } from './server.ts'
export type { RegistryLog } from './records.ts'
