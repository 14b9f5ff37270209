/** A folder that looks like Kafka's distribution to suites that run its scripts, with the tools of the jars behind them. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { javaCommand } from '../harness/java.ts'

const tools = {
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
} as const

export interface KafkaPath {
  readonly folder: string
  close(): void
}

export async function kafkaPath(): Promise<KafkaPath> {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-kafka-path-'))
  mkdirSync(join(folder, 'bin'))
  for (const [script, className] of Object.entries(tools)) {
    const [program, args] = await javaCommand('4.3.1', className, [])
    const path = join(folder, 'bin', script)
    writeFileSync(path, `#!/bin/sh\nexec ${program} ${args.map(arg => `'${arg}'`).join(' ')} "$@"\n`)
    chmodSync(path, 0o755)
  }
  return {
    folder,
    close() {
      rmSync(folder, { recursive: true })
    },
  }
}
