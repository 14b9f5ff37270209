import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './jars.ts'

const folders: string[] = []
let isWatching = false

/** A folder for the logs of one cluster: removed if this process succeeds, else kept and printed. */
export function newLogFolder(name: string): string {
  const folder = join(
    cacheFolder,
    'logs',
    `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}-${folders.length}-${name}`,
  )
  mkdirSync(folder, { recursive: true })
  folders.push(folder)
  if (!isWatching) {
    isWatching = true
    process.on('exit', code => {
      settle(code !== 0 || (process.exitCode ?? 0) !== 0)
    })
  }
  return folder
}

function settle(failed: boolean): void {
  for (const folder of folders) {
    if (failed) process.stderr.write(`% the brokers' logs are kept in ${folder}\n`)
    else rmSync(folder, { recursive: true, force: true })
  }
}
