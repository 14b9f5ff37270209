// Outlives the process that started it for a moment: when the pipe closes, for whatever reason, this one kills the
// processes that are left and removes the folders. Lines: `pid N`, `gone N`, `folder PATH`.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const pids = new Set()
const folders = new Set()

const lines = createInterface({ input: process.stdin })
lines.on('line', line => {
  const space = line.indexOf(' ')
  const rest = line.slice(space + 1)
  switch (line.slice(0, space)) {
    case 'pid':
      pids.add(Number(rest))
      break
    case 'gone':
      pids.delete(Number(rest))
      break
    case 'folder':
      folders.add(rest)
      break
  }
})
lines.on('close', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has already exited.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
})
