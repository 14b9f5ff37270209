/** Runs the program that shows whether everything works on a runtime. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { root } from './program.ts'
import { runIn } from './recipes.ts'

const CHECKS = ['codecs', 'groups', 'transactions', 'share', 'scram', 'tls', 'dataDir', 'workers', 'commands']

/**
 * @param args - of the runtime, in front of the program
 * @param env - what is different in the environment
 */
export function conforms(
  program: string,
  args: readonly string[],
  checks: readonly string[] = CHECKS,
  env: Readonly<Record<string, string>> = {},
): void {
  const script = join(root, 'test', 'runtimes', 'conformance.mjs')
  const { status, output } = runIn(root, program, [...args, script, ...checks], env)
  assert.deepEqual(
    { status, output },
    { status: 0, output: [...checks.map(name => `ok ${name}`), 'done', ''].join('\n') },
  )
}
