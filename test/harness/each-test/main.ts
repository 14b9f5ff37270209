/**
 * Loaded by `npm test` before each test file. Every test has a timeout. Whatever it leaves open is closed and fails it,
 * however it ended. Hooks run even if an earlier one threw. A file must exit after its tests.
 */
import { createRequire, register, syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'
import { runInThisContext } from 'node:vm'
import { fileScope, runIn, Scope, startWatching } from './open-things.ts'

type Hook = (context?: unknown) => unknown
type Body = (context: TestContext) => unknown
type Registration = (...args: unknown[]) => unknown

const { setTimeout, clearTimeout } = globalThis
const TEST_MS = Number(process.env['OTTLA_TEST_LIMIT_MS'] ?? 120_000)
const HOOK_MS = Number(process.env['OTTLA_HOOK_LIMIT_MS'] ?? 300_000)
/** Longer than a test's timeout and its clean-up, so that node:test's own timeout never comes first. */
const NODE_MORE_MS = 120_000
/** How long a file may take to exit after its tests. */
const END_MS = Number(process.env['OTTLA_END_LIMIT_MS'] ?? 20_000)

const nodeTest = createRequire(import.meta.url)('node:test') as Record<string, Registration>
const real = { ...nodeTest }
const beforeEach: Hook[] = []
const afterEach: Hook[] = []
const after: Hook[] = []
let suites = 0
let isEndRegistered = false

// The runner's own process loads this file, too.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) watch()

function watch(): void {
  startWatching()
  register('./redirect.mjs', import.meta.url)
  nodeTest['test'] = ofTest(real['test'])
  nodeTest['it'] = ofTest(real['it'])
  nodeTest['describe'] = ofSuite(real['describe'])
  nodeTest['suite'] = ofSuite(real['suite'])
  nodeTest['before'] = ofHook(real['before'])
  nodeTest['after'] = ofHook(real['after'], after)
  nodeTest['beforeEach'] = ofHook(real['beforeEach'], beforeEach)
  nodeTest['afterEach'] = ofHook(real['afterEach'], afterEach)
  syncBuiltinESMExports()
}

function ofTest(register: Registration | undefined): Registration {
  return withVariants(register, (call, args) => {
    const body = args.at(-1)
    if (typeof body !== 'function') return callFromTest(call, args)
    const options = args.find(each => typeof each === 'object' && each !== null) as { timeout?: number } | undefined
    const limitMs = options?.timeout ?? TEST_MS
    const name = args.find(each => typeof each === 'string') ?? body.name
    const withLimit = { ...options, timeout: limitMs + NODE_MORE_MS }
    return callFromTest(call, [name, withLimit, (t: TestContext) => runTest(t, body as Body, limitMs)])
  })
}

function ofSuite(register: Registration | undefined): Registration {
  return withVariants(register, (call, args) => {
    const body = args.at(-1)
    if (typeof body !== 'function') return callFromTest(call, args)
    const counted: Hook = context => {
      suites++
      try {
        return (body as Hook)(context)
      } finally {
        suites--
      }
    }
    return callFromTest(call, [...args.slice(0, -1), counted])
  })
}

/** @param ofFile - collects the hooks of the file, which are called from here, not by node:test */
function ofHook(register: Registration | undefined, ofFile?: Hook[]): Registration {
  return (hook, options) => {
    const limited: Hook = context => within(HOOK_MS, 'a hook', () => (hook as Hook)(context))
    if (ofFile !== undefined && suites === 0) ofFile.push(limited)
    else if (register !== undefined)
      callFromTest(register, [limited, { timeout: HOOK_MS + NODE_MORE_MS, ...(options as object | undefined) }])
  }
}

/** Wraps a function and its variants `only`, `skip` and `todo`. */
function withVariants(
  register: Registration | undefined,
  wrapped: (register: Registration, args: unknown[]) => unknown,
): Registration {
  const own = register as Registration & Record<string, Registration | undefined>
  const result = Object.assign((...args: unknown[]) => wrapped(own, args), {} as Record<string, Registration>)
  for (const variant of ['only', 'skip', 'todo']) {
    const call = own[variant]
    if (call !== undefined) result[variant] = (...args: unknown[]) => wrapped(call, args)
  }
  return result
}

async function runTest(t: TestContext, body: Body, limitMs: number): Promise<void> {
  const scope = new Scope()
  const afterTest: Hook[] = []
  t.after = (hook => void afterTest.push(hook as Hook)) as TestContext['after']
  const nested = t.test.bind(t) as Registration
  t.test = ofTest(nested) as TestContext['test']
  const errors: unknown[] = []
  const note = async (call: () => unknown): Promise<void> => {
    try {
      await call()
    } catch (error) {
      errors.push(error)
    }
  }
  await runIn(scope, async () => {
    await note(() =>
      within(limitMs, 'the test', async () => {
        for (const hook of beforeEach) await hook(t)
        await body(t)
      }),
    )
    // Hooks have the test's timeout, and all of them run even if one fails.
    for (const hook of [...afterEach, ...afterTest])
      await note(() => within(limitMs, 'a hook of the test', () => hook(t)))
  })
  const left = await scope.end()
  if (left.length > 0) errors.push(new Error(`left open: ${left.join(', ')}`))
  throwAll(errors)
}

/** Runs the hooks of the file, and reports what it left open. */
async function endFile(): Promise<void> {
  const errors: unknown[] = []
  for (const hook of after) {
    try {
      await hook()
    } catch (error) {
      errors.push(error)
    }
  }
  const left = await fileScope.end()
  if (left.length > 0) errors.push(new Error(`the file left open: ${left.join(', ')}`))
  if (errors.length > 0) process.exitCode = 1
  // Unreferenced: if this timer fires, something else keeps the process alive.
  setTimeout(() => {
    console.error(`its tests are over and it does not end: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(1)
  }, END_MS).unref()
  throwAll(errors)
}

/** Throws the first error, and prints the others. */
function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 0) return
  const [first, ...others] = errors
  for (const error of others) console.error('and then:', error)
  throw first
}

async function within(ms: number, what: string, call: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    // Unreferenced, so that node:test notices at once a test that waits for nothing.
    timer = setTimeout(() => {
      reject(new Error(`${what} took longer than its limit of ${ms / 1000} s`))
    }, ms).unref()
  })
  try {
    await Promise.race([call(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** node:test takes a test's location from its caller, which must be the test file and not this one. */
function callFromTest(call: Registration, args: unknown[]): unknown {
  if (!isEndRegistered) {
    isEndRegistered = true
    if (real['after'] !== undefined) callFromTest(real['after'], [endFile])
  }
  const prepare = Error.prepareStackTrace // eslint-disable-line @typescript-eslint/unbound-method -- put back as it was
  Error.prepareStackTrace = (_, sites) => sites
  const sites = new Error().stack as unknown as NodeJS.CallSite[]
  Error.prepareStackTrace = prepare
  const site = sites.find(
    each => each.getFileName()?.startsWith('file:') === true && each.getFileName() !== import.meta.url,
  )
  const filename = site?.getFileName()
  if (typeof filename !== 'string') return call(...args)
  const lineOffset = (site?.getLineNumber() ?? 1) - 1
  const from = runInThisContext('(call, args) => call(...args)', { filename, lineOffset }) as typeof callFromTest
  return from(call, args)
}
