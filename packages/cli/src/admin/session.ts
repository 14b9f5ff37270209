import { Option, type Command } from 'commander'
import { AdminClient, KafkaError, type AdminOptions, type WireRecording } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import {
  addClusterOptions,
  clientOptions,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
} from '../client/options.ts'
import { integer } from '../terminal/parsers.ts'
import { tableLines, type Column } from '../terminal/table.ts'
import { DONE, FAILED, note, type Terminal } from '../terminal/terminal.ts'

/** Options of every `ottla admin` command; they may stand before or after the subject and verb. */
interface SharedOptions extends ClusterOptions {
  readonly json?: boolean
  readonly timeout?: number
}

/** The command to add subcommands to, and what they run with. */
export interface AdminContext {
  readonly parent: Command
  readonly terminal: Terminal
  readonly exit: (status: number) => void
}

/** Adds the options that all commands below `parent` share. */
export function addSharedOptions(parent: Command): void {
  addClusterOptions(parent)
    .option('-J, --json', 'print the result as one line of JSON, errors included')
    .option('--timeout <ms>', 'timeout of each request, retries included', integer(1))
}

/** Adds a group of commands: `ottla admin topics ...`. */
export function subject(context: AdminContext, name: string, description: string): AdminContext {
  const parent = context.parent.command(name).description(description)
  return { ...context, parent }
}

/**
 * Adds one command, such as `ottla admin topics create <topics...>`.
 * @param words the verb and its arguments, in commander's notation
 * @param work checks the arguments, then connects; `options` are as commander parses them
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- commander's options have the type that the caller names
export function verb<O extends object>(
  context: AdminContext,
  words: string,
  description: string,
  options: readonly Option[],
  work: (session: AdminSession, options: O, args: readonly string[]) => Promise<void>,
): void {
  const command = context.parent.command(words).description(description)
  command.configureHelp({ showGlobalOptions: true })
  for (const option of options) command.addOption(option)
  command.action(async () => {
    const all = command.optsWithGlobals<O & SharedOptions>()
    const session = new AdminSession(context.terminal, all)
    try {
      await work(session, all, command.args)
      context.exit(session.status)
    } finally {
      await session.close()
    }
  })
}

/** An option in commander's notation; `parse` as in `Command.option`. */
export function option<T>(
  flags: string,
  description: string,
  parse?: (value: string, before: T) => T,
  preset?: T,
): Option {
  const made = new Option(flags, description)
  if (parse !== undefined) made.argParser(parse)
  if (preset !== undefined) made.default(preset)
  return made
}

/** One run of an admin command: its connection and its output. */
export class AdminSession {
  readonly terminal: Terminal
  readonly #options: SharedOptions
  #admin: AdminClient | null = null
  #recording: WireRecording | null = null
  #status = DONE

  constructor(terminal: Terminal, options: SharedOptions) {
    this.terminal = terminal
    this.#options = options
  }

  /** The exit status: DONE until something fails. */
  get status(): number {
    return this.#status
  }

  /** Options for every call: aborted with the command, limited by `--timeout`. */
  get limits(): AdminOptions {
    const { timeout } = this.#options
    const { stop: signal } = this.terminal
    return timeout === undefined ? { signal } : { signal, requestTimeoutMs: timeout, operationTimeoutMs: timeout }
  }

  /** Call it once the arguments are checked. */
  async connect(): Promise<AdminClient> {
    const config = requireBrokers(clusterProperties(this.#options))
    const shared = clientOptions(this.terminal, this.#options)
    this.#recording = shared.record ?? null
    const admin = new AdminClient(config, shared)
    this.#admin = admin
    await firstContact(admin)
    return admin
  }

  /** Prints the value with `--json`, else the lines. */
  emit(value: unknown, lines: () => readonly string[]): void {
    const text = this.#options.json === true ? JSON.stringify(value, toPlainJson) : lines().join('\n').trimEnd()
    if (text !== '') this.terminal.stdout.write(`${text}\n`)
  }

  /** Prints a table of the results without an error, and reports the errors of the others. */
  table<T extends { error?: KafkaError }>(results: readonly T[], columns: readonly Column<T>[], nothing: string): void {
    this.emit(results, () => lines(withoutError(results), columns, results.length === 0 ? nothing : undefined))
    this.reportErrors(results.map(r => r.error))
  }

  /** Prints a line for each result without an error, and reports the errors of the others. */
  printResults<T extends { error?: KafkaError }>(results: readonly T[], sentence: (result: T) => string): void {
    const quiet = this.#options.quiet === true
    this.emit(results, () => (quiet ? [] : withoutError(results).map(sentence)))
    this.reportErrors(results.map(r => r.error))
  }

  /** Prints the result of a command that does one thing. */
  printResult(value: unknown, sentence: string): void {
    this.emit(value, () => (this.#options.quiet === true ? [] : [sentence]))
  }

  /** Prints each error on standard error; any of them makes the command fail. */
  reportErrors(errors: readonly (KafkaError | undefined)[]): void {
    for (const error of errors) {
      if (error === undefined) continue
      this.#status = FAILED
      this.terminal.stderr.write(`ottla admin: ${explain(error)}\n`)
    }
  }

  /** Prints a remark that is not part of the result; not with `--json` or `--quiet`. */
  note(text: string): void {
    if (this.#options.quiet !== true && this.#options.json !== true) note(this.terminal, text)
  }

  async close(): Promise<void> {
    await this.#admin?.close()
    this.#recording?.close()
  }
}

/** A table, or the sentence `nothing` if there are no rows. */
export function lines<T>(rows: readonly T[], columns: readonly Column<T>[], nothing?: string): string[] {
  if (rows.length > 0) return tableLines(rows, columns)
  return nothing === undefined ? [] : [nothing]
}

function withoutError<T extends { error?: KafkaError }>(results: readonly T[]): T[] {
  return results.filter(r => r.error === undefined)
}

/**
 * Replaces what JSON.stringify handles badly: errors have no enumerable fields, buffers become lists of numbers, and
 * bigints (producer ids) are refused. Those become strings, since many readers would round numbers.
 */
function toPlainJson(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof KafkaError) {
    const { code, name, message } = value
    return { code, name, message }
  }
  // `value` is the result of Buffer's toJSON by now; the field still holds the Buffer.
  const field: unknown = (this as Record<string, unknown>)[key] // stringify passes the holder as `this`
  return Buffer.isBuffer(field) ? field.toString('base64') : value
}
