/**
 * `npm run specs:kafka-javascript -- --from CHECKOUT [--client facade|original] [--originals FOLDER]
 * [--on embedded|real] [--save] [PART OF A PATH ...]`: runs the specs of Confluent's package in `test/promisified` through
 * the facade, or through the package itself, which is installed in FOLDER. CHECKOUT is a work tree of Confluent's
 * repository, which nothing is written to. `--save` writes the results to results.json and to the table in
 * packages/kafka-javascript/SPECS.md.
 */
import { runSuite } from '../suite.ts'
import { prepare, runSpecs } from './jest-run.ts'
import { reasons } from './reasons.ts'
import { internalSpecs, publicSpecs } from './specs.ts'
import { startSurroundings } from './surroundings.ts'

await runSuite({
  table: {
    original: '@confluentinc/kafka-javascript',
    facade: 'kafka-javascript',
    folder: 'kafka-javascript',
    publicSpecs,
    internalSpecs,
    reasons,
    short: path => `\`${path.replace('test/promisified/', '').replace(/\.spec\.js$/, '')}\``,
  },
  checkout: {
    what: 'a work tree of Confluent’s package (confluentinc/confluent-kafka-javascript on GitHub, version 1.10)',
    marker: 'test/promisified',
  },
  prepare,
  start: startSurroundings,
  run: runSpecs,
})
