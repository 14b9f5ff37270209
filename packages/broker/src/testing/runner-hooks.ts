/** The hooks of the test runner that a file runs in. */

/**
 * Hooks that run once before and once after the tests of a file or suite, by whichever name the runner gives them. The
 * whole module of a runner will do: `import * as runner from 'vitest'`.
 * @since 0.1.0
 */
export interface RunnerHooks {
  readonly beforeAll?: (hook: () => Promise<void>) => unknown
  readonly afterAll?: (hook: () => Promise<void>) => unknown
  readonly before?: (hook: () => Promise<void>) => unknown
  readonly after?: (hook: () => Promise<void>) => unknown
}

interface Lifetime {
  start(): Promise<unknown>
  release(): Promise<void>
}

/**
 * Lets the runner start and release something. Does nothing where no runner can be found.
 * @param given - the hooks that the test has passed; by default those of the runner
 */
export function register(lifetime: Lifetime, given: RunnerHooks | undefined): void {
  const hooks = given ?? hooksOfRunner()
  const before = hooks?.beforeAll ?? hooks?.before
  const after = hooks?.afterAll ?? hooks?.after
  if (given !== undefined && after === undefined) {
    throw new TypeError('the hooks of the test runner need an afterAll or after')
  }
  before?.(async () => {
    await lifetime.start()
  })
  after?.(() => lifetime.release())
}

/** Jest, Bun, Mocha and Vitest with `globals` have theirs among the globals, `node --test` in its module. */
function hooksOfRunner(): RunnerHooks | undefined {
  const globals = globalThis as RunnerHooks
  if (typeof globals.afterAll === 'function' || typeof globals.after === 'function') return globals
  // Vitest without `globals` may have been started by a test of node:test.
  if (process.env['NODE_TEST_CONTEXT'] === undefined || process.env['VITEST'] !== undefined) return undefined
  return process.getBuiltinModule('node:test') as RunnerHooks
}
