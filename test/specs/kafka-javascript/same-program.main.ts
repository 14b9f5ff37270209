/**
 * `npm run specs:kafka-javascript-program -- --originals FOLDER [--on embedded|real]`: runs program.cjs with Confluent's
 * package, which is installed in FOLDER, and with the facade; shows what they print, and fails if that differs. Where the
 * package's binary cannot be downloaded, `npm install --ignore-scripts` and, in its folder, `CKJS_LINKING=dynamic node-gyp
 * configure build` (twice, if the first ends after librdkafka's `configure`) build it from what its tarball has.
 */
import { fileURLToPath } from 'node:url'
import { runSameProgram } from '../same-program.ts'
import { startSurroundings } from './surroundings.ts'

await runSameProgram({
  original: '@confluentinc/kafka-javascript',
  facade: 'kafka-javascript',
  program: fileURLToPath(new URL('program.cjs', import.meta.url)),
  start: startSurroundings,
})
