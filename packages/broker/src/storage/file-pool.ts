/** Open files, limited in number. */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from './replace-file.ts'

// Well below the limit of a process, since sockets count, too.
const MAX_OPEN = 128
// The folders of partition, topic and all topics may be as new as the file.
const FOLDERS = 3

export class FilePool {
  readonly #fsync: boolean
  // In the order of their last use.
  readonly #open = new Map<string, number>()

  /** @param fsync whether `append` returns only when the bytes are on the disk */
  constructor(fsync: boolean) {
    this.#fsync = fsync
  }

  /** Appends all bytes, or none and throws the system's error. @param size of the file before */
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

  /** To be called before the file is deleted or replaced. */
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

// After a power failure a file is lost if its folder was not synced.
function syncFoldersOf(path: string): void {
  let folder = dirname(path)
  for (let i = 0; i < FOLDERS; i++) {
    syncFolder(folder)
    folder = dirname(folder)
  }
}
