import tseslint from 'typescript-eslint'

/** Time and randomness are passed in, so that tests can move them; these are the places that may reach for them. */
const edges = ['packages/ottla/src/base/**', 'packages/ottla/src/network/transport.ts']

const ambient = ['setTimeout', 'setInterval', 'setImmediate'].map(name => ({
  name,
  message: 'Use the clock that is passed in (base/clock.ts).',
}))

const nondeterminism = [
  ['Date', 'now', 'Use the clock that is passed in (base/clock.ts).'],
  ['performance', 'now', 'Use the clock that is passed in (base/clock.ts).'],
  ['Math', 'random', 'Use the random source that is passed in (base/random.ts).'],
].map(([object, property, message]) => ({ object, property, message }))

const namedExports = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: a default export is called differently in every file that imports it.',
}

export default tseslint.config(
  {
    ignores: ['**/dist/**', 'packages/*/src/**/generated/**', '.kafka/**', 'coverage/**', 'bench/results/**'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', prefer: 'type-imports' },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: testCalls() }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // A callback may return `void | Promise<void>`: that is the contract.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Two documented overloads say more than one signature with a union.
      '@typescript-eslint/unified-signatures': 'off',
      // The types of the configuration table are computed; some of the steps are `{}`.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      'max-lines': ['error', { max: 500 }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', namedExports],
    },
  },
  {
    files: ['packages/ottla/src/**'],
    ignores: edges,
    rules: { 'no-restricted-globals': ['error', ...ambient], 'no-restricted-properties': ['error', ...nondeterminism] },
  },
  { files: ['packages/cli/**', 'tools/**', 'examples/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    // A test may reach for what it knows to be there: a wrong guess fails the test.
    files: ['**/test/**', 'test/**'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // Programs against kafkajs's API take functions out of payloads whose types call them methods, and have what is deprecated.
    files: ['packages/kafkajs/test/**', 'test/behaviour/kafkajs/**', 'test/embedded/kafkajs-*.test.ts'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
)

/** node:test's own calls return a promise that the runner awaits. */
function testCalls() {
  return [{ from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] }]
}
