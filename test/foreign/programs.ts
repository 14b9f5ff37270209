/** Foreign clients are had from their registries the first time, and kept where Kafka's jars are. */
import { execFile } from 'node:child_process'

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, once } from '../harness/jars.ts'
import { ProgramPeer } from './peer.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))

const CONFLUENT_KAFKA = 'confluent-kafka==2.16.1'

/** librdkafka, in the wheel for Python. */
export async function librdkafka(bootstrapServers: string): Promise<ProgramPeer> {
  const wheels = await once(CONFLUENT_KAFKA, join(cacheFolder, CONFLUENT_KAFKA), async folder => {
    process.stderr.write(`% installing ${CONFLUENT_KAFKA} (once)\n`)
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
    await run('python3', ['-m', 'pip', 'install', ...flags, '--target', folder, CONFLUENT_KAFKA])
  })
  return new ProgramPeer('python3', [join(here, 'python', 'peer.py'), bootstrapServers], { PYTHONPATH: wheels })
}
