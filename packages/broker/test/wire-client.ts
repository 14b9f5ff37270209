export { WireClient } from '../../../test/harness/wire-client.ts'
