/** Java programs with the libraries of schemas: Avro's, Protobuf's, Apicurio's serdes. */
import { join } from 'node:path'
import { cacheFolder, compiled, maven, once } from './jars.ts'
import { runClass, type JavaResult } from './java.ts'

/** The folder with the jars of test/java/schemas/pom.xml, downloaded by Maven the first time. */
export function schemaJars(): Promise<string> {
  return once('schemas', join(cacheFolder, 'schemas', 'jars'), async folder => {
    process.stderr.write('% downloading the Java libraries of schemas from Maven Central (once)\n')
    await maven('schemas', 'copy-dependencies', folder)
  })
}

/** The class path of a class of test/java/src, compiled against these jars. */
export async function schemaClassPath(className: string): Promise<string[]> {
  const jars = await schemaJars()
  const classes = await compiled(className, jars, join(cacheFolder, 'schemas'))
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
