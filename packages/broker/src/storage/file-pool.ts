/** Open files, not too many at once. */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from './replace-file.ts'

// Well below what a process may have, since sockets count too.
const MAX_OPEN = 128
// Partition, topic, and the folder of all topics: each may be new with the file.
const FOLDERS = 3

export class FilePool {
  readonly #fsync: boolean
  // In the order of their last use.
  readonly #open = new Map<string, number>()

  /** @param fsync whether what is appended has to be on the disk before anyone is told */
  constructor(fsync: boolean) {
    this.#fsync = fsync
  }

  /** Appends all of it or, when the disk refuses, nothing; then throws what the system says. @param size of the file */
  append(path: string, bytes: Uint8Array, size: number): void {
    const file = this.#file(path)
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(file, bytes, written)
    } catch (error) {
      ftruncateSync(file, size)
      throw error
    }
    if (this.#fsync) fdatasyncSync(file)
  }

  /** The file is about to be deleted or replaced. */
  close(path: string): void {
    const file = this.#open.get(path)
    if (file === undefined) return
    this.#open.delete(path)
    closeSync(file)
  }

  closeAll(): void {
    for (const path of [...this.#open.keys()]) this.close(path)
  }

  #file(path: string): number {
    let file = this.#open.get(path)
    if (file === undefined) {
      const isNew = this.#fsync && !existsSync(path)
      file = openSync(path, 'a')
      if (isNew) syncFoldersOf(path)
      const oldest = this.#open.keys().next()
      if (this.#open.size >= MAX_OPEN && oldest.done !== true) this.close(oldest.value)
    } else {
      this.#open.delete(path)
    }
    this.#open.set(path, file)
    return file
  }
}

// A file whose name is not on the disk is lost with everything in it.
function syncFoldersOf(path: string): void {
  let folder = dirname(path)
  for (let i = 0; i < FOLDERS; i++) {
    syncFolder(folder)
    folder = dirname(folder)
  }
}
