import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Replaces the contents of a file atomically: even after a crash it has the old or the new ones. */
export function replaceFile(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = `${path}.tmp`
  const file = openSync(temporary, 'w')
  try {
    for (const chunk of chunks) {
      for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncFolder(dirname(path))
}

/** Makes sure that a folder's entries are on the disk, if the system supports it. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
