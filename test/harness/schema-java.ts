/** Java programs with the libraries of schemas: Avro's, Protobuf's, Apicurio's serdes. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, compiled, maven, once } from './jars.ts'
import { runClass, type JavaResult } from './java.ts'

const pom = readFileSync(new URL('../java/schemas/pom.xml', import.meta.url))
/** Another pom has other jars. */
const cache = join(cacheFolder, `schemas-${createHash('sha256').update(pom).digest('hex').slice(0, 16)}`)

/** The folder with the jars of test/java/schemas/pom.xml, downloaded by Maven the first time. */
export function schemaJars(): Promise<string> {
  return once('schemas', join(cache, 'jars'), async folder => {
    process.stderr.write('% downloading the Java libraries of schemas from Maven Central (once)\n')
    await maven('schemas', 'copy-dependencies', folder)
  })
}

/** The class path of a class of test/java/src, compiled against these jars. */
export async function schemaClassPath(className: string): Promise<string[]> {
  const jars = await schemaJars()
  const classes = await compiled(className, jars, cache)
  return [join(jars, '*'), classes ?? '']
}

/** Runs a class of test/java/src, compiled against these jars, to its end. */
export async function runSchemaJava(
  className: string,
  args: readonly string[],
  stdin: string | Buffer = '',
): Promise<JavaResult> {
  return runClass(await schemaClassPath(className), className, args, stdin)
}
