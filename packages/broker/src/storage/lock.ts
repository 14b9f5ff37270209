/** Makes sure that only one cluster at a time uses a folder. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const heldLocks = new Set<string>()

/**
 * Takes the lock, also from a process that has ended. Throws Error with the folder and the process that holds it.
 * @returns a function that releases it
 */
export function lock(folder: string, path: string): () => void {
  const key = resolve(path)
  const holder = heldLocks.has(key) ? process.pid : holderOf(path)
  if (holder !== null) throw new Error(`the dataDir ${folder} is in use by the cluster of process ${holder}`)
  writeFileSync(path, String(process.pid))
  heldLocks.add(key)
  return () => {
    heldLocks.delete(key)
    rmSync(path, { force: true })
  }
}

// The other process that holds the lock, or null.
function holderOf(path: string): number | null {
  let pid = NaN
  try {
    pid = Number(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return null
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // The process exists but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : null // of process.kill, which throws nothing else
  }
}
