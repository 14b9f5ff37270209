/** `ottla registry`: what is in a schema registry. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { SchemaRegistry, type SchemaOptions, type SchemaReference, type SchemaType } from '@ottla/schema-registry'
import { tableLines, type Column } from '../terminal/table.ts'
import { DONE, FAILED, UsageError, type Terminal } from '../terminal/terminal.ts'

interface RegistryOptions {
  readonly url: string
  readonly json?: boolean
  readonly deleted?: boolean
  readonly type?: SchemaType
  readonly normalize?: boolean
  readonly reference?: readonly SchemaReference[]
  readonly permanent?: boolean
}

type Run = (registry: SchemaRegistry, options: RegistryOptions, words: readonly string[]) => Promise<Result>

/** Rows of a table; with `--json` each is an object. */
interface Result {
  readonly rows: readonly Record<string, string | number>[]
  readonly failed?: boolean
}

export function addRegistry(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const registry = program.command('registry').description('Show and change what is in a schema registry')
  const add = (usage: string, description: string, run: Run): Command =>
    registry
      .command(usage)
      .description(description)
      .option('--url <url>', 'address of the registry', process.env['SCHEMA_REGISTRY_URL'] ?? 'http://localhost:8081')
      .option('-J, --json', 'print a JSON object per line')
      .action(async (...given: unknown[]) => {
        // Commander passes the arguments, the options and the command.
        const options = given.at(-2) as RegistryOptions
        const words = given.slice(0, -2).filter(word => typeof word === 'string')
        const result = await run(new SchemaRegistry({ url: options.url }), options, words)
        print(result, options, terminal)
        exit(result.failed === true ? FAILED : DONE)
      })
  add('subjects', 'List subjects with their versions', subjects).option('--deleted', 'deleted ones, too')
  add('schemas <subject>', 'List the versions of a subject', schemas).option('--deleted', 'deleted ones, too')
  for (const command of [
    add('check <subject> <file>', 'Whether a schema may become the next version; status 1 if not', check),
    add('register <subject> <file>', 'Register a schema as the next version', register),
  ]) {
    command
      .addOption(
        new Option('--type <type>', 'by the name of the file: .proto, .json, else AVRO').choices([
          'AVRO',
          'PROTOBUF',
          'JSON',
        ]),
      )
      .option('--normalize', 'schemas that differ in form only are the same')
      .option('--reference <name=subject:version>', 'a schema that it refers to; repeatable', reference)
  }
  add('delete <subject> [version]', 'Delete a subject or one version of it', remove).option(
    '--permanent',
    'for good; it has to be deleted without first',
  )
}

function print({ rows }: Result, { json }: RegistryOptions, terminal: Terminal): void {
  const names = Object.keys(rows[0] ?? {})
  const columns = names.map((name): Column<Result['rows'][number]> => ({
    title: name,
    cell: row => row[name] ?? '',
    right: rows.every(row => typeof row[name] === 'number'),
  }))
  // A `.proto` file has many lines, a row of a table has one.
  const cells = rows.map(row => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, oneLine(cell)])))
  const lines =
    json === true ? rows.map(row => JSON.stringify(row)) : rows.length === 0 ? [] : tableLines(cells, columns)
  for (const line of lines) terminal.stdout.write(`${line}\n`)
}

function oneLine(cell: string | number): string | number {
  return typeof cell === 'string' ? cell.replaceAll(/\s+/g, ' ').trim() : cell
}

const subjects: Run = async (registry, { deleted = false }) => {
  const names = await registry.subjects({ deleted })
  const versions = await Promise.all(names.map(name => registry.versions(name, { deleted })))
  return { rows: names.map((subject, i) => ({ subject, versions: (versions[i] ?? []).join(', ') })) }
}

const schemas: Run = async (registry, { deleted = false }, [subject = '']) => {
  const versions = await registry.versions(subject, { deleted })
  const found = await Promise.all(versions.map(version => registry.getVersion(subject, version, { deleted })))
  return { rows: found.map(({ version, id, type, schema }) => ({ version: version ?? 0, id, type, schema })) }
}

const check: Run = async (registry, options, [subject = '', file = '']) => {
  const { isCompatible, messages } = await registry.checkCompatibility(
    subject,
    textOf(file),
    schemaOptions(options, file),
  )
  if (isCompatible) return { rows: [{ subject, compatible: 'yes' }] }
  return { rows: messages.map(why => ({ subject, compatible: 'no', why })), failed: true }
}

const register: Run = async (registry, options, [subject = '', file = '']) => {
  const { id, version } = await registry.registerSchema(subject, textOf(file), schemaOptions(options, file))
  return { rows: [{ subject, version: version ?? 0, id }] }
}

const remove: Run = async (registry, { permanent = false }, [subject = '', version]) => {
  const versions =
    version === undefined
      ? await registry.deleteSubject(subject, { permanent })
      : [await registry.deleteVersion(subject, numberOf(version), { permanent })]
  return { rows: versions.map(deleted => ({ subject, deleted })) }
}

function schemaOptions({ type, normalize, reference: references }: RegistryOptions, file: string): SchemaOptions {
  const byName = file.endsWith('.proto') ? 'PROTOBUF' : file.endsWith('.json') ? 'JSON' : 'AVRO'
  return {
    type: type ?? byName,
    ...(normalize === undefined ? {} : { normalize }),
    ...(references === undefined ? {} : { references }),
  }
}

/** The name may be a path or a URI: what follows its last `=` is a subject, which may have colons in it, and a version. */
function reference(text: string, before: readonly SchemaReference[] = []): SchemaReference[] {
  const [, name, subject, version] = /^(.+)=([^=]+):(\d+)$/.exec(text) ?? []
  if (name === undefined || subject === undefined) {
    throw new InvalidArgumentError('It takes NAME=SUBJECT:VERSION, as shop/common.proto=common:1.')
  }
  return [...before, { name, subject, version: Number(version) }]
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause })
  }
}

function numberOf(text: string): number | 'latest' {
  const version = Number(text)
  if (text === 'latest' || (Number.isInteger(version) && version > 0)) return text === 'latest' ? text : version
  throw new UsageError(`${text} is no version: it takes a number or latest`)
}
