/** Suites of Python packages: the package from PyPI, its tests from a work tree of its repository. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { cacheFolder, once } from '../harness/jars.ts'
import { command, succeed } from './command.ts'
import type { Outcome, Outcomes, SuiteRun } from './suite.ts'

export interface PythonSuite {
  /** The package's name on PyPI. */
  readonly name: string
  readonly version: string
  /** What the tests import besides. */
  readonly needs: readonly string[]
  /** The folder of the work tree that has the tests. */
  readonly tests: string
}

/** Where to run pytest. */
export interface PythonPlace {
  /** Has a copy of the tests, beside which there is no source of the package. */
  readonly folder: string
  /** The interpreter that has the package. */
  readonly python: string
}

/** Runs pytest on a copy of the tests, and reads the outcomes from the report that it writes for others. */
export async function pyTests(
  suite: PythonSuite,
  { from, log }: SuiteRun,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  prepare: (place: PythonPlace) => void = () => undefined,
): Promise<Outcomes> {
  const { name, version, tests } = suite
  if (from === undefined || !existsSync(join(from, tests))) {
    throw new Error(`${name}'s tests are in its repository only: pass --from FOLDER, a work tree of version ${version}`)
  }
  const python = await interpreter(suite)
  const folder = mkdtempSync(join(tmpdir(), 'ottla-suite-'))
  try {
    cpSync(join(from, tests), join(folder, tests), { recursive: true })
    prepare({ folder, python })
    const report = join(folder, 'report.xml')
    const lines: string[] = []
    const onLine = (line: string): void => {
      lines.push(line)
      log(line)
    }
    await command(python, ['-m', 'pytest', '-q', `--junitxml=${report}`, ...args], {
      cwd: folder,
      // What `prepare` has left there stands for commands of the system.
      env: { ...env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
      onLine,
    })
    if (!existsSync(report)) throw new Error(`pytest ran no test:\n${lines.slice(-20).join('\n')}`)
    return outcomesIn(await readFile(report, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function interpreter({ name, version, needs }: PythonSuite): Promise<string> {
  const stamp = `${name}-${version}`
  const folder = await once(stamp, join(cacheFolder, 'suites', stamp), async filling => {
    const options = { cwd: filling }
    await succeed('python3', ['-m', 'venv', filling], options)
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    const packages = [`${name}==${version}`, 'pytest', 'pytest-timeout', ...needs]
    await succeed(join(filling, 'bin', 'python'), [...install, ...packages], options)
  })
  return join(folder, 'bin', 'python')
}

function outcomesIn(xml: string): Outcomes {
  const outcomes = new Map<string, Outcome>()
  for (const [, head = '', body = ''] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const attribute = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? ''
    const outcome = /<(failure|error)\b/.test(body) ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed'
    const test = `${attribute('classname')}: ${attribute('name')}`
    // A test whose fixture cannot be closed is listed twice.
    if (outcomes.get(test) !== 'failed') outcomes.set(test, outcome)
  }
  return outcomes
}
