import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, jarsOf, once, type KafkaVersion } from './jars.ts'
import { serverFlags } from './java.ts'

const run = promisify(execFile)

/**
 * A folder with the `bootstrap.checkpoint` that Kafka's storage tool writes for this version: the cluster's first metadata
 * records. They are the same for every node and cluster, so the file is made once and copied, which saves a JVM per
 * broker.
 */
export async function formattedLog(version: KafkaVersion): Promise<string> {
  const jars = await jarsOf(version)
  return once(`${version}/formatted`, join(cacheFolder, version, 'formatted'), async folder => {
    mkdirSync(folder, { recursive: true })
    const properties = join(folder, 'node.properties')
    writeFileSync(
      properties,
      [
        'process.roles=broker,controller',
        'node.id=1',
        'controller.quorum.voters=1@127.0.0.1:9093',
        'controller.listener.names=CONTROLLER',
        'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
        `log.dirs=${folder}`,
        '',
      ].join('\n'),
    )
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', properties]
    await run('java', [...serverFlags(jars), ...format])
  })
}
