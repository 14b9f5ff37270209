// Test runners, each with its defaults.
import { commonjs, esm, typescript } from './story.mjs'
import { programIn, run, runTool } from './project.mjs'

const FAILS_LATE_MS = 180_000

const requires = `const { story } = require('./story.js')\n`
const imports = `import { story } from './story.js'\n`
const jestTest = `test('the story', async () => { expect(await story()).toContain('zstd') }, ${FAILS_LATE_MS})\n`
const mochaTest = `it('the story', async function () { this.timeout(${FAILS_LATE_MS}); await story() })\n`
const nodeTest = `test('the story', async () => { await story() })\n`

const tsJest = { jest: '^30', 'ts-jest': '^29', typescript: '~5.9', '@types/jest': '^30', '@types/node': '^20' }
const tsJestFiles = options => ({
  'story.ts': typescript,
  'story.test.ts': `import { story } from './story'\n${jestTest}`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: { target: 'es2022', strict: false, esModuleInterop: true, ...options },
  }),
})

/** @type {import('./main.mjs').Check[]} */
export const runners = [
  {
    row: 'Jest, babel-jest',
    column: 'CommonJS',
    name: 'jest-babel',
    dependencies: { jest: '^30' },
    files: { 'story.js': commonjs, 'story.test.js': requires + jestTest },
    run: folder => runTool(folder, 'jest/bin/jest.js', []),
  },
  {
    row: 'Jest, babel-jest',
    column: 'ES modules',
    name: 'jest-esm',
    dependencies: { jest: '^30' },
    manifest: { type: 'module', jest: { transform: {} } },
    files: { 'story.js': esm, 'story.test.js': imports + jestTest },
    run: folder => runTool(folder, 'jest/bin/jest.js', [], { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' }),
  },
  {
    row: 'Jest, ts-jest',
    column: 'CommonJS',
    name: 'jest-ts',
    dependencies: tsJest,
    manifest: { jest: { preset: 'ts-jest' } },
    files: tsJestFiles({ module: 'commonjs', ignoreDeprecations: '5.0' }),
    run: folder => runTool(folder, 'jest/bin/jest.js', []),
  },
  {
    row: 'Jest, ts-jest',
    column: 'ES modules',
    name: 'jest-ts-esm',
    dependencies: tsJest,
    manifest: { type: 'module', jest: { preset: 'ts-jest/presets/default-esm' } },
    files: tsJestFiles({ module: 'esnext', moduleResolution: 'bundler', isolatedModules: true }),
    run: folder => runTool(folder, 'jest/bin/jest.js', [], { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' }),
  },
  {
    row: 'Mocha',
    column: 'CommonJS',
    name: 'mocha',
    dependencies: { mocha: '^11' },
    files: { 'story.js': commonjs, 'story.test.js': requires + mochaTest },
    run: folder => runTool(folder, 'mocha/bin/mocha.js', ['story.test.js']),
  },
  {
    row: 'Mocha',
    column: 'ES modules',
    name: 'mocha-esm',
    dependencies: { mocha: '^11' },
    manifest: { type: 'module' },
    files: { 'story.js': esm, 'story.test.js': imports + mochaTest },
    run: folder => runTool(folder, 'mocha/bin/mocha.js', ['story.test.js']),
  },
  {
    row: 'Vitest',
    column: 'ES modules',
    name: 'vitest',
    dependencies: { vitest: '^4' },
    manifest: { type: 'module' },
    files: { 'story.js': esm, 'story.test.js': `import { expect, test } from 'vitest'\n${imports}${jestTest}` },
    run: folder => runTool(folder, 'vitest/vitest.mjs', ['run']),
  },
  {
    row: 'Vitest',
    column: 'TypeScript',
    name: 'vitest',
    dependencies: { vitest: '^4' },
    manifest: { type: 'module' },
    files: {
      'story.ts': typescript,
      'story.test.ts': `import { expect, test } from 'vitest'\nimport { story } from './story.ts'\n${jestTest}`,
    },
    run: folder => runTool(folder, 'vitest/vitest.mjs', ['run']),
  },
  {
    row: 'node:test',
    column: 'CommonJS',
    isQuick: true,
    name: 'plain',
    files: { 'story.js': commonjs, 'story.test.js': `const { test } = require('node:test')\n${requires}${nodeTest}` },
    run: folder => run(process.execPath, ['--test', 'story.test.js'], { cwd: folder }),
  },
  {
    row: 'node:test',
    column: 'ES modules',
    isQuick: true,
    name: 'plain-esm',
    manifest: { type: 'module' },
    files: { 'story.js': esm, 'story.test.js': `import { test } from 'node:test'\n${imports}${nodeTest}` },
    run: folder => run(process.execPath, ['--test', 'story.test.js'], { cwd: folder }),
  },
  {
    row: 'bun test',
    column: 'TypeScript',
    name: 'bun-1',
    dependencies: { bun: '1' },
    files: {
      'story.ts': typescript,
      'story.test.ts': `import { expect, test } from 'bun:test'\nimport { story } from './story'\n${jestTest}`,
    },
    run: folder => run(programIn(folder, 'bun'), ['test'], { cwd: folder }),
  },
].map(check => ({ group: 'Test runners', ...check }))
