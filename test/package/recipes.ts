/** The programs that a page for users shows, by the name of the file that the text before each of them gives. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './program.ts'

/** Code by file name. */
export type Recipes = ReadonlyMap<string, string>

/** Every block that comes after a sentence with a file name in parentheses, as "With Mocha (`billing.mocha.js`):". */
export function recipesOf(page: string): Recipes {
  const text = readFileSync(join(root, page), 'utf8')
  const found = text.matchAll(/\(`([\w.-]+\.[cm]?[jt]s)`[^)]*\):\s+```(?:js|typescript)\n([\s\S]*?)```/g)
  return new Map([...found].map(([, name = '', code = '']) => [name, code]))
}

export interface Outcome {
  readonly status: number | null
  readonly output: string
}

// A busy machine may take long; what hangs is killed.
const LIMIT_MS = 200_000

/** Runs a test runner in a folder, as if nothing around it were one. */
export function runIn(
  folder: string,
  program: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Outcome {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, VITEST: ___, FORCE_COLOR: ____, ...env } = process.env
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    // A slow machine gets more patience than a user's.
    env: { ...env, NO_COLOR: '1', OTTLA_TEST_TIMEOUT_MS: '60000', ...more },
    timeout: LIMIT_MS,
  })
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` }
}
