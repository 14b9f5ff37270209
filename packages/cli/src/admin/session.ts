import { Option, type Command } from 'commander'
import { AdminClient, KafkaError, type AdminOptions } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import {
  addClusterOptions,
  clientLogger,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
} from '../client/options.ts'
import { integer } from '../terminal/parsers.ts'
import { tableLines, type Column } from '../terminal/table.ts'
import { DONE, FAILED, note, type Terminal } from '../terminal/terminal.ts'

/** What every `ottla admin` command has, before or after its own words. */
interface SharedOptions extends ClusterOptions {
  readonly json?: boolean
  readonly timeout?: number
}

/** Where the commands of `ottla admin` are hung up, and what they run in. */
export interface AdminContext {
  readonly parent: Command
  readonly terminal: Terminal
  readonly exit: (status: number) => void
}

/** The options that all commands below `parent` have in common. */
export function addSharedOptions(parent: Command): void {
  addClusterOptions(parent)
    .option('-J, --json', 'print the result as one line of JSON, with errors in it')
    .option('--timeout <ms>', 'limit of each request, retries included', integer(1))
}

/** A group of commands: `ottla admin topics ...`. */
export function subject(context: AdminContext, name: string, description: string): AdminContext {
  const parent = context.parent.command(name).description(description)
  return { ...context, parent }
}

/**
 * One command, `ottla admin topics create ...`, with its arguments in commander's words.
 * @param work checks the arguments, then connects; options are as commander gathers them
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- commander's options have the type that their reader says
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

/** An option in commander's words; `parse` as for `Command.option`. */
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

/** One run of an admin command: its connection, and how it tells what it found. */
export class AdminSession {
  readonly terminal: Terminal
  readonly #options: SharedOptions
  #admin: AdminClient | null = null
  #status = DONE

  constructor(terminal: Terminal, options: SharedOptions) {
    this.terminal = terminal
    this.#options = options
  }

  /** DONE until something has failed. */
  get status(): number {
    return this.#status
  }

  /** For every call: ends with the command, and at `--timeout`. */
  get limits(): AdminOptions {
    const { timeout } = this.#options
    const { stop: signal } = this.terminal
    return timeout === undefined ? { signal } : { signal, requestTimeoutMs: timeout, operationTimeoutMs: timeout }
  }

  /** To be called when the arguments are known to be right. */
  async connect(): Promise<AdminClient> {
    const config = requireBrokers(clusterProperties(this.#options))
    const admin = new AdminClient(config, { logger: clientLogger(this.terminal, this.#options) })
    this.#admin = admin
    await firstContact(admin)
    return admin
  }

  /** With `--json` the value, else the lines. */
  emit(value: unknown, lines: () => readonly string[]): void {
    const text = this.#options.json === true ? JSON.stringify(value, plain) : lines().join('\n').trimEnd()
    if (text !== '') this.terminal.stdout.write(`${text}\n`)
  }

  /** Shows results: a table of those without an error; each error is a line of its own and makes the command fail. */
  table<T extends { error?: KafkaError }>(results: readonly T[], columns: readonly Column<T>[], nothing: string): void {
    this.emit(results, () => lines(withoutError(results), columns, results.length === 0 ? nothing : undefined))
    this.failures(results.map(r => r.error))
  }

  /** Tells what was done, one line for each result without an error. */
  done<T extends { error?: KafkaError }>(results: readonly T[], say: (result: T) => string): void {
    const quiet = this.#options.quiet === true
    this.emit(results, () => (quiet ? [] : withoutError(results).map(say)))
    this.failures(results.map(r => r.error))
  }

  /** Tells of the one thing that was done. */
  did(value: unknown, sentence: string): void {
    this.emit(value, () => (this.#options.quiet === true ? [] : [sentence]))
  }

  /** Each on standard error; the command has failed then. */
  failures(errors: readonly (KafkaError | undefined)[]): void {
    for (const error of errors) {
      if (error === undefined) continue
      this.#status = FAILED
      this.terminal.stderr.write(`ottla admin: ${explain(error)}\n`)
    }
  }

  /** For people only, and not part of the result. */
  note(text: string): void {
    if (this.#options.quiet !== true && this.#options.json !== true) note(this.terminal, text)
  }

  async close(): Promise<void> {
    await this.#admin?.close()
  }
}

/** A table, or the sentence for when there is nothing to show. */
export function lines<T>(rows: readonly T[], columns: readonly Column<T>[], nothing?: string): string[] {
  if (rows.length > 0) return tableLines(rows, columns)
  return nothing === undefined ? [] : [nothing]
}

function withoutError<T extends { error?: KafkaError }>(results: readonly T[]): T[] {
  return results.filter(r => r.error === undefined)
}

/**
 * What JSON.stringify shows badly: errors have no enumerable fields, buffers are lists of numbers, and bigints (producer
 * ids), which it refuses, would lose digits as numbers in whatever reads them.
 */
function plain(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof KafkaError) {
    const { code, name, message } = value
    return { code, name, message }
  }
  // A Buffer has been through its toJSON by now; the field itself is still what it was.
  const field: unknown = (this as Record<string, unknown>)[key] // stringify hands the holder over as `this`
  return Buffer.isBuffer(field) ? field.toString('base64') : value
}
