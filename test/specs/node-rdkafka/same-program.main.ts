/**
 * `npm run specs:node-rdkafka-program -- --originals FOLDER [--on embedded|real]`: runs program.cjs with node-rdkafka, which
 * is installed in FOLDER, and with the facade; shows what they print, and fails if that differs.
 */
import { fileURLToPath } from 'node:url'
import { runSameProgram } from '../same-program.ts'
import { startSurroundings } from './surroundings.ts'

await runSameProgram({
  original: 'node-rdkafka',
  facade: 'node-rdkafka',
  program: fileURLToPath(new URL('program.cjs', import.meta.url)),
  start: startSurroundings,
})
