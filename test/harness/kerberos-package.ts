/** The package `kerberos`, compiled here: it is not a dependency of the project, and binaries must not be downloaded. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KerberosPackage } from 'ottla'

const VERSION = '7.0.0'
// Below the root, where git ignores it.
const folder = fileURLToPath(new URL('../../node_modules/.cache/kerberos/', import.meta.url))

/** For NODE_PATH, so that programs find the package by its name. */
export const modules = join(folder, 'node_modules')

/** Builds it against the headers of this Node.js, unless that is already done. */
export function kerberosPackage(): KerberosPackage {
  if (!existsSync(join(modules, 'kerberos', 'build', 'Release', 'kerberos.node'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--build-from-source', `kerberos@${VERSION}`], {
      cwd: folder,
      stdio: 'pipe',
      env: { ...process.env, npm_config_build_from_source: 'true' },
    })
  }
  return createRequire(join(folder, 'package.json'))('kerberos') as KerberosPackage // what the package exports
}
