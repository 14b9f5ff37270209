import { run } from './command.ts'
import { FAILED } from './terminal/terminal.ts'

// The first signal asks the command to close its clients; a second one exits at once.
const stop = new AbortController()
const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(SIGNAL_STATUS[signal])
    stop.abort()
  })
}

const { stdin, stdout, stderr } = process
// A reader that closed the pipe (`| head`) ends the command the next time it checks `stop`; it is not a failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') stop.abort()
  else throw error
})
run(process.argv.slice(2), { stdin, stdout, stderr, stop: stop.signal }).then(
  status => {
    process.exitCode = status
  },
  (error: unknown) => {
    process.exitCode = FAILED
    stderr.write(`ottla: ${String(error)}\n`)
  },
)
