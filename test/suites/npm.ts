/** Sources that are in the tarball of an npm package. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, once } from '../harness/jars.ts'
import { succeed } from './command.ts'

/** The unpacked package. @param build is called once, with it */
export async function npmPackage(
  name: string,
  version: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const stamp = `${name.replace(/^@/, '').replaceAll('/', '-')}-${version}`
  const all = await once(stamp, join(cacheFolder, 'suites', stamp), async folder => {
    await succeed('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder })
    const archive = readdirSync(folder).find(file => file.endsWith('.tgz')) ?? ''
    await succeed('tar', ['xzf', archive], { cwd: folder })
    await build(join(folder, 'package'))
  })
  return join(all, 'package')
}
