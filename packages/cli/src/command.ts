import { Command, CommanderError } from 'commander'
import { ErrorCode, KafkaError, libraryVersion } from 'ottla'
import { addAdmin } from './admin/admin.ts'
import { addBench } from './bench/bench.ts'
import { addBroker } from './broker/broker.ts'
import { explain } from './client/explain.ts'
import { addConsume } from './consume/consume.ts'
import { addDemo } from './demo/demo.ts'
import { fromKcat } from './kcat-modes.ts'
import { addMeta } from './meta/meta.ts'
import { addProduce } from './produce/produce.ts'
import { addQuery } from './query/query.ts'
import { addRecord } from './record/record.ts'
import { addRegistry } from './registry/registry.ts'
import { addReplay } from './replay/replay.ts'
import { DONE, FAILED, UsageError, WRONG_USAGE, type Terminal } from './terminal/terminal.ts'

/**
 * Runs one command to its end.
 * @param args the arguments after the command's name, `ottla`
 * @returns the exit status: 0 for success, 1 for failure (with the reason on standard error), 2 for wrong usage
 * @since 0.1.0
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = fromKcat(args)
  let status = DONE
  const program = build(terminal, value => {
    status = value
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return status
  } catch (error) {
    // Commander has already written its own message; help and version are not failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE
    const command = words[0] ?? ''
    terminal.stderr.write(`ottla ${command}: ${explain(error)}\n`)
    return isWrongUsage(error) ? WRONG_USAGE : FAILED
  }
}

function build(terminal: Terminal, exit: (status: number) => void): Command {
  const program = new Command('ottla')
  program
    .description('A Kafka client for the command line')
    .version(libraryVersion)
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.stdout.write(text),
      writeErr: text => terminal.stderr.write(text),
    })
  for (const add of [
    addProduce,
    addConsume,
    addMeta,
    addQuery,
    addAdmin,
    addBroker,
    addBench,
    addDemo,
    addRecord,
    addRegistry,
    addReplay,
  ])
    add(program, terminal, exit)
  return program
}

/** An invalid configuration comes from the command line, too. */
function isWrongUsage(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof KafkaError && error.code === ErrorCode.ERR__INVALID_ARG)
}
