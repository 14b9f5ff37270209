export { run } from './command.ts'
export type { Terminal } from './terminal/terminal.ts'
