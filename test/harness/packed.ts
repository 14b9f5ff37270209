/** An empty project with the packages as they are published: packed, and installed from the archives. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Project {
  /** Outside the repository, so that nothing but what is installed can be found. */
  readonly folder: string
  remove(): void
}

/**
 * Installs `ottla` and `@ottla/broker`, built before, and packages of others in a new folder.
 * @param others - as npm takes them: `jest@30`
 * @param settings - what the project's package.json has beside the dependencies
 */
export function packedProject(others: readonly string[], settings: object): Project {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-project-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, ...settings }))
    const workspaces = ['protocol', 'ottla', 'broker'].flatMap(name => ['--workspace', `packages/${name}`])
    npm(root, 'pack', '--pack-destination', folder, ...workspaces)
    const archives = ['ottla-protocol', 'ottla', 'ottla-broker'].map(name => `./${name}-${versionOf(name)}.tgz`)
    npm(folder, 'install', '--no-audit', '--no-fund', ...archives, ...others)
  } catch (error) {
    remove()
    throw error
  }
  return { folder, remove }
}

function versionOf(archive: string): string {
  const name = archive.replace(/^ottla-/, '')
  return npm(root, 'pkg', 'get', 'version', '--workspace', `packages/${name}`).match(/\d+\.\d+\.\d+[^"]*/)?.[0] ?? ''
}

function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
