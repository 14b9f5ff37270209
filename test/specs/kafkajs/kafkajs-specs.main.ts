/**
 * `npm run specs:kafkajs -- --from CHECKOUT [--client facade|original] [--on embedded|real] [--save]
 * [PART OF A PATH ...]`: runs the specs of kafkajs through the facade, or through kafkajs itself in the same surroundings.
 * CHECKOUT is a work tree of kafkajs, which nothing is written to. `--save` writes the results to results.json and to the
 * table in packages/kafkajs/SPECS.md.
 */
import { runSuite } from '../suite.ts'
import { prepare, runSpecs } from './jest-run.ts'
import { reasons } from './reasons.ts'
import { internalSpecs, publicSpecs } from './specs.ts'
import { startSurroundings } from './surroundings.ts'

await runSuite({
  table: {
    original: 'kafkajs',
    facade: 'kafkajs',
    folder: 'kafkajs',
    publicSpecs,
    internalSpecs,
    reasons,
    short: path => `\`${path.replace(/^src\/|__tests__\/|\.spec\.js$/g, '')}\``,
  },
  checkout: { what: 'a work tree of kafkajs (tulios/kafkajs on GitHub, version 2.2.4)', marker: 'testHelpers' },
  prepare,
  start: startSurroundings,
  run: runSpecs,
})
