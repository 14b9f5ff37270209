import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { classesOf, jarsOf, type KafkaJars, type KafkaVersion } from './jars.ts'

export interface JavaResult {
  readonly stdout: string
  readonly stderr: string
  /** Null if a signal ended the process. */
  readonly code: number | null
}

const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'

/** For programs that run for seconds: they are not worth optimising. */
const shortLived = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', quiet]

/** The Java flags of a broker, before the class name. @param plugins folders of classes of its own */
export function serverFlags(jars: string, plugins: readonly string[] = []): string[] {
  return ['-Xmx400m', ...shortLived, '-cp', [join(jars, '*'), ...plugins].join(delimiter)]
}

/** The command that runs a class of Kafka's jars or of test/java/src. */
export async function javaCommand(
  version: KafkaJars,
  className: string,
  args: readonly string[],
): Promise<[command: string, args: string[]]> {
  const classes = await classesOf(version, className)
  const jars = join(await jarsOf(version), '*')
  return command(classes === undefined ? [jars] : [jars, classes], className, args)
}

function command(classPath: readonly string[], className: string, args: readonly string[]): [string, string[]] {
  return ['java', ['-Xmx256m', ...shortLived, '-cp', classPath.join(delimiter), className, ...args]]
}

/** Runs a class of Kafka's jars or of test/java/src to its end. */
export async function runJava(
  version: KafkaVersion,
  className: string,
  args: readonly string[],
  stdin: string | Buffer = '',
): Promise<JavaResult> {
  return ran(await javaCommand(version, className, args), stdin)
}

/** Runs a class of these folders and jars to its end. */
export function runClass(
  classPath: readonly string[],
  className: string,
  args: readonly string[],
  stdin: string | Buffer,
): Promise<JavaResult> {
  return ran(command(classPath, className, args), stdin)
}

async function ran([program, options]: [string, string[]], stdin: string | Buffer): Promise<JavaResult> {
  const child = spawn(program, options, { stdio: 'pipe' })
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk))
  // A program may exit before it has read its input: its exit code tells whether that is an error.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString(), code }
}
