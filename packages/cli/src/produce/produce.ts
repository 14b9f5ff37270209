import type { Command } from 'commander'
import { PARTITION_UA, Producer, type ProducerConfig } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { messageEncoder } from '../client/encoder.ts'
import { addClusterOptions, clientOptions, clusterProperties, requireBrokers } from '../client/options.ts'
import { addSchemaOptions } from '../client/schemas.ts'
import { collect, integer } from '../terminal/parsers.ts'
import { note, type Terminal } from '../terminal/terminal.ts'
import { inputs, messageShape } from './input.ts'
import type { ProduceOptions } from './options.ts'
import { Sender } from './sender.ts'

export function addProduce(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('produce')
    .description('Produce messages: the lines of standard input, or files')
    .argument('[files...]', 'each file is one message; with -l, each of its lines')
    .requiredOption('-t, --topic <topic>', 'the topic')
    .option(
      '-p, --partition <number>',
      'the partition; by default the key decides',
      integer(PARTITION_UA),
      PARTITION_UA,
    )
    .option('-k, --key <key>', 'the key of every message')
    .option('-K, --key-delimiter <delimiter>', 'the delimiter of key and value in the input')
    .option('-D, --delimiter <delimiter>', 'the delimiter of messages in the input', '\\n')
    .option('-z, --compression <codec>', 'none, gzip, snappy, lz4 or zstd')
    .option('-H, --header <name=value>', 'a header of every message; repeatable', collect, [])
    .option('-Z, --null', 'send empty keys and values as null')
    .option('-l, --lines', 'read the lines of the files, as of standard input')
    .option('-c, --count <number>', 'stop after this many messages', integer(1))
  addSchemaOptions(
    command,
    'serialize keys and values with schemas of this registry',
    'keys and values are JSON, and serialized',
  )
    .option('--key-schema <file>', "register this schema for the keys; by default the subject's latest is used")
    .option('--value-schema <file>', 'the same for the values')
    .option('--key-message <name>', 'the message of a Protobuf schema; by default its first one')
    .option('--value-message <name>', 'the same for the values')
  addClusterOptions(command).action(async (files: string[], options: ProduceOptions) => {
    exit(await produce(files, options, terminal))
  })
}

async function produce(files: readonly string[], options: ProduceOptions, terminal: Terminal): Promise<number> {
  const shape = messageShape(options)
  const encode = await messageEncoder(options)
  const config: ProducerConfig = requireBrokers(clusterProperties(options))
  if (options.compression !== undefined) Object.assign(config, { 'compression.codec': options.compression })
  const shared = clientOptions(terminal, options)
  const producer = new Producer(config, shared)
  try {
    await firstContact(producer)
    // As in kcat, the whole input is one transaction.
    const isTransaction = config['transactional.id'] !== undefined
    if (isTransaction) {
      await producer.initTransactions()
      producer.beginTransaction()
    }
    const sender = new Sender(producer, terminal, options)
    for await (const value of inputs(files, options, terminal)) {
      if (terminal.stop.aborted || sender.full) break
      await sender.send(shape(value), encode)
    }
    await producer.flush(-1)
    if (isTransaction) await endTransaction(producer, sender.failed || terminal.stop.aborted, terminal)
    return sender.finish()
  } finally {
    await producer.close()
    shared.record?.close()
  }
}

async function endTransaction(producer: Producer, isFailed: boolean, terminal: Terminal): Promise<void> {
  if (!isFailed) return producer.commitTransaction()
  await producer.abortTransaction()
  note(terminal, 'the transaction was aborted: none of its messages will be visible')
}
