/** Keeps a Kerberos ticket fresh by running a command (`sasl.kerberos.kinit.cmd`), like librdkafka. */
import { onAbort } from '../../base/abort.ts'
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../../base/clock.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { TicketSource } from './gssapi.ts'

/** The properties that the command may refer to. */
export type KerberosSettings = Readonly<Record<string, unknown>> & {
  readonly 'sasl.kerberos.kinit.cmd': string | undefined
  /** ms; 0 for only once. */
  readonly 'sasl.kerberos.min.time.before.relogin': number
}

/** Renews an existing ticket, else gets one with the keytab. */
export const DEFAULT_COMMAND =
  'kinit -R -t "%{sasl.kerberos.keytab}" -k %{sasl.kerberos.principal} || kinit -t "%{sasl.kerberos.keytab}" -k %{sasl.kerberos.principal}'

const LONGEST_RUN_MS = 60_000
const LONGEST_MESSAGE = 1000
const isWindows = process.platform === 'win32'

/** Runs a shell command until it exits or the signal kills it. Resolves with its error output, null if it succeeded. */
export type RunCommand = (command: string, signal: AbortSignal) => Promise<string | null>

export class KerberosTicket implements TicketSource {
  readonly #command: string
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #raise: (error: KafkaError) => void
  readonly #run: RunCommand
  #first: Promise<void> | null = null
  #timer: Timer | null = null
  #running: AbortController | null = null
  #isClosed = false

  /** @throws KafkaError ERR__INVALID_ARG for a command that refers to a property that is not set */
  constructor(
    settings: KerberosSettings,
    clock: Clock,
    logger: Logger,
    raise: (error: KafkaError) => void,
    run: RunCommand = runInShell,
  ) {
    this.#command = kinitCommand(settings)
    this.#intervalMs = settings['sasl.kerberos.min.time.before.relogin']
    this.#clock = clock
    this.#logger = logger
    this.#raise = raise
    this.#run = run
  }

  ready(): Promise<void> {
    this.#first ??= this.#renew()
    return this.#first
  }

  close(): void {
    this.#isClosed = true
    this.#running?.abort()
    this.#timer?.cancel()
  }

  async #renew(): Promise<void> {
    const running = new AbortController()
    this.#running = running
    const limit = this.#clock.setTimer(LONGEST_RUN_MS, () => {
      running.abort()
    })
    const outcome = await this.#run(this.#command, running.signal)
    limit.cancel()
    if (this.#isClosed) return
    const problem = running.signal.aborted ? `it did not exit within ${LONGEST_RUN_MS} ms` : outcome
    if (problem === null) this.#logger.debug('security', 'KINIT', 'the Kerberos ticket was renewed')
    else {
      const why = `sasl.kerberos.kinit.cmd failed, an existing ticket is used: ${problem}`
      this.#raise(new KafkaError(ErrorCode.ERR__AUTHENTICATION, why))
    }
    if (this.#intervalMs > 0) this.#timer = this.#clock.setTimer(this.#intervalMs, () => void this.#renew())
  }
}

/** The command with its properties filled in. @throws KafkaError ERR__INVALID_ARG if one is not set */
export function kinitCommand(settings: KerberosSettings): string {
  const template = settings['sasl.kerberos.kinit.cmd'] ?? DEFAULT_COMMAND
  return template.replaceAll(/%\{([^}]*)\}/g, (_, name: string) => {
    const value = settings[name]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    const why = `sasl.kerberos.kinit.cmd refers to ${name}, which is not set`
    throw invalidArgument(why)
  })
}

function runInShell(command: string, signal: AbortSignal): Promise<string | null> {
  return new Promise(resolve => {
    // In a process group of its own, so that the shell's children are killed with it; without a terminal it cannot ask
    // for a password.
    const child = process
      .getBuiltinModule('node:child_process')
      .spawn(command, { shell: true, detached: !isWindows, stdio: ['ignore', 'ignore', 'pipe'] })
    let printed = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-LONGEST_MESSAGE)
    })
    const conclude = (problem: string | null): void => {
      stopListening()
      child.stderr.destroy()
      resolve(problem)
    }
    const end = (): void => {
      try {
        if (child.pid === undefined || isWindows) child.kill()
        else process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has just exited by itself.
      }
      conclude('it was killed')
    }
    const stopListening = onAbort(signal, end)
    child.once('error', error => {
      conclude(error.message)
    })
    // A background process may keep the output open.
    child.once('exit', code => {
      if (code === 0) conclude(null)
    })
    child.once('close', (code, by) => {
      conclude(printed.trim().split('\n').at(-1) || `it exited with ${code ?? by}`)
    })
  })
}
