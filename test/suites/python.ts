/** Suites of Python packages, whose source distributions have the tests, too. */
import { mkdirSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, once } from '../harness/jars.ts'
import { command, succeed } from './command.ts'
import type { Outcome, Outcomes } from './suite.ts'

export interface PythonSource {
  /** The unpacked source distribution. */
  readonly folder: string
  /** The interpreter that has the package and what its tests need. */
  readonly python: string
}

/** @param needs what the tests import besides */
export async function pythonSource(name: string, version: string, needs: readonly string[]): Promise<PythonSource> {
  const stamp = `${name}-${version}`
  const all = await once(stamp, join(cacheFolder, 'suites', stamp), async folder => {
    const options = { cwd: folder }
    const quiet = ['--quiet', '--disable-pip-version-check']
    await succeed('python3', ['-m', 'venv', join(folder, 'venv')], options)
    const pip = [join(folder, 'venv', 'bin', 'python'), '-m', 'pip'] as const
    const source = ['download', ...quiet, '--no-deps', '--no-binary', ':all:', `${name}==${version}`, '-d', folder]
    await succeed(pip[0], [...pip.slice(1), ...source], options)
    await succeed(pip[0], [...pip.slice(1), 'install', ...quiet, `${name}==${version}`, 'pytest', ...needs], options)
    const archive = readdirSync(folder).find(file => file.endsWith('.tar.gz')) ?? ''
    mkdirSync(join(folder, 'source'))
    await succeed('tar', ['xzf', archive, '-C', 'source', '--strip-components', '1'], options)
  })
  return { folder: join(all, 'source'), python: join(all, 'venv', 'bin', 'python') }
}

/** Runs pytest, and reads the outcomes from the report that it writes for others. */
export async function pyTests(
  { folder, python }: PythonSource,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  log: (line: string) => void,
): Promise<Outcomes> {
  const report = join(folder, 'report.xml')
  await command(python, ['-m', 'pytest', '-q', `--junitxml=${report}`, ...args], { cwd: folder, env, onLine: log })
  return outcomesIn(await readFile(report, 'utf8'))
}

function outcomesIn(xml: string): Outcomes {
  const outcomes = new Map<string, Outcome>()
  for (const [, head = '', body = ''] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const attribute = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? ''
    const outcome = /<(failure|error)\b/.test(body) ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed'
    outcomes.set(`${attribute('classname')}: ${attribute('name')}`, outcome)
  }
  return outcomes
}
