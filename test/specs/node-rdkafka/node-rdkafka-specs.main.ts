/**
 * `npm run specs:node-rdkafka -- --from CHECKOUT [--client facade|original] [--originals FOLDER] [--on embedded|real]
 * [--save] [PART OF A PATH ...]`: runs the specs of node-rdkafka through the facade, or through node-rdkafka itself, which
 * is installed in FOLDER. CHECKOUT is a work tree of node-rdkafka, which nothing is written to. `--save` writes the
 * results to results.json and to the table in packages/node-rdkafka/SPECS.md.
 */
import { runSuite } from '../suite.ts'
import { prepare, runSpecs } from './mocha-run.ts'
import { reasons } from './reasons.ts'
import { internalSpecs, publicSpecs } from './specs.ts'
import { startSurroundings } from './surroundings.ts'

await runSuite({
  table: {
    original: 'node-rdkafka',
    facade: 'node-rdkafka',
    folder: 'node-rdkafka',
    publicSpecs,
    internalSpecs,
    reasons,
    short: path => `\`${path.replace(/\.spec\.js$/, '')}\``,
  },
  checkout: {
    what: 'a work tree of node-rdkafka (Blizzard/node-rdkafka on GitHub, version 3.6)',
    marker: 'e2e/both.spec.js',
  },
  prepare,
  start: startSurroundings,
  run: runSpecs,
})
