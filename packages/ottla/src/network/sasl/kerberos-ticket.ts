/** Keeps a Kerberos ticket fresh by running a command (`sasl.kerberos.kinit.cmd`), as librdkafka does. */
import { execFile } from 'node:child_process'
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { TicketKeeper } from './gssapi.ts'

/** The properties that commands are made of. */
export type KerberosSettings = Readonly<Record<string, unknown>> & {
  readonly 'sasl.kerberos.kinit.cmd': string | undefined
  /** ms; 0: only once. */
  readonly 'sasl.kerberos.min.time.before.relogin': number
}

/** A ticket that is there is renewed, else one is fetched with the key table. */
export const DEFAULT_COMMAND =
  'kinit -R -t "%{sasl.kerberos.keytab}" -k %{sasl.kerberos.principal} || kinit -t "%{sasl.kerberos.keytab}" -k %{sasl.kerberos.principal}'

const LONGEST_RUN_MS = 60_000

/** Runs a command line in the system's shell; resolves with what it printed as errors, null when it went well. */
export type RunCommand = (command: string) => Promise<string | null>

export class KerberosTicket implements TicketKeeper {
  readonly #command: string
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #raise: (error: KafkaError) => void
  readonly #run: RunCommand
  #first: Promise<void> | null = null
  #timer: Timer | null = null
  #isClosed = false

  /** @throws KafkaError ERR__INVALID_ARG for a command with something that there is not */
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
    this.#timer?.cancel()
  }

  async #renew(): Promise<void> {
    const problem = await this.#run(this.#command)
    if (this.#isClosed) return
    if (problem === null) this.#logger.debug('security', 'KINIT', 'the Kerberos ticket is fresh')
    else {
      const why = `sasl.kerberos.kinit.cmd failed, the ticket that is there is used: ${problem}`
      this.#raise(new KafkaError(ErrorCode.ERR__AUTHENTICATION, why))
    }
    if (this.#intervalMs > 0) this.#timer = this.#clock.setTimer(this.#intervalMs, () => void this.#renew())
  }
}

/** @throws KafkaError ERR__INVALID_ARG when a property that it names is not set */
export function kinitCommand(settings: KerberosSettings): string {
  const template = settings['sasl.kerberos.kinit.cmd'] ?? DEFAULT_COMMAND
  return template.replaceAll(/%\{([^}]*)\}/g, (_, name: string) => {
    const value = settings[name]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    const why = `sasl.kerberos.kinit.cmd names ${name}, which is not set`
    throw new KafkaError(ErrorCode.ERR__INVALID_ARG, why)
  })
}

function runInShell(command: string): Promise<string | null> {
  const [shell, flag] = process.platform === 'win32' ? (['cmd.exe', '/c'] as const) : (['/bin/sh', '-c'] as const)
  return new Promise(resolve => {
    const child = execFile(shell, [flag, command], { timeout: LONGEST_RUN_MS }, (error, _, stderr) => {
      resolve(error === null ? null : stderr.trim().split('\n').at(-1) || error.message)
    })
    child.unref()
  })
}
