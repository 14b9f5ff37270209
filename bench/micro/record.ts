/**
 * What records cost: CPU per record for appending and sealing, and for reading.
 *
 *   node --conditions=@ottla/source --import tsx bench/micro/record.ts [records]
 *
 * Prints the best and the median of nine rounds. `OTTLA_NO_NATIVE=1` switches the native add-ons off.
 */

import {
  BatchReader,
  BatchWriter,
  codecByName,
  implementations,
  type RecordCursor,
  type RecordHeaders,
  RecordView,
} from '@ottla/protocol'

const RECORDS = Number(process.argv[2] ?? 1_000_000)
const PER_BATCH = 7_000
const ROUNDS = 9
const NOW = 1_763_900_000_000

const key = Buffer.from('key-123456')
const bytes = Buffer.alloc(100, 'some text ')
const text = bytes.toString()
/** Like a little JSON, so that codecs have something to find but not everything. */
const documents = Array.from({ length: 1_000 }, (_, i) => {
  const document = { id: (i * 7919) % 100_003, user: `user-${(i * 31) % 997}`, event: ['click', 'view', 'buy'][i % 3] }
  return Buffer.from(JSON.stringify(document).padEnd(100, '.'))
})

/** Keeps the compiler from dropping work whose result nobody sees. */
let sink = 0

function measure(name: string, round: () => number): void {
  const costs: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage()
    const records = round()
    const { user, system } = process.cpuUsage(before)
    costs.push(((user + system) * 1000) / records)
  }
  costs.sort((a, b) => a - b)
  const [best, median] = [costs[0] ?? 0, costs[ROUNDS >> 1] ?? 0]
  console.log(`| ${name.padEnd(52)} | ${best.toFixed(0).padStart(5)} | ${median.toFixed(0).padStart(6)} |`)
}

type Content = Uint8Array | string | null

function produce(
  recordKey: Content,
  value: (i: number) => Content,
  headers: RecordHeaders | null,
  codec = 'none',
): () => number {
  const using = codecByName(codec as 'none')
  return () => {
    let records = 0
    while (records < RECORDS) {
      const writer = new BatchWriter()
      for (let i = 0; i < PER_BATCH; i++) writer.append(recordKey, value(i), headers, NOW + (i >> 6))
      sink += writer.seal({ codec: using }).length
      writer.release()
      records += PER_BATCH
    }
    return records
  }
}

function consume(
  recordKey: Content,
  headers: RecordHeaders | null,
  use: (cursor: RecordCursor) => void,
  codec = 'none',
): () => number {
  const writer = new BatchWriter()
  for (let i = 0; i < PER_BATCH; i++) writer.append(recordKey, documents[i % 1_000] ?? null, headers, NOW + (i >> 6))
  const sealed = Buffer.from(writer.seal({ codec: codecByName(codec as 'none') }))
  return () => {
    let records = 0
    while (records < RECORDS) {
      const batch = new BatchReader(sealed).next()
      if (batch === null) throw new Error('there is a batch')
      batch.checkCrc()
      use(batch.records())
      records += PER_BATCH
    }
    return records
  }
}

/** As a consumer's message class is. */
class Message extends RecordView {
  readonly origin: { readonly topic: string; readonly partition: number }

  constructor(cursor: RecordCursor, origin: { readonly topic: string; readonly partition: number }) {
    super(cursor)
    this.origin = origin
  }
}

const origin = { topic: 'topic', partition: 3 }

function collect(cursor: RecordCursor): Message[] {
  const messages: Message[] = []
  while (cursor.next()) messages.push(new Message(cursor, origin))
  return messages
}

await codecByName('zstd').ready()
console.log(`Node ${process.version}`, implementations())
console.log(`| ${'ns CPU per record of 100 B'.padEnd(52)} |  best | median |`)
console.log(`|${'-'.repeat(54)}|------:|-------:|`)
const header = [{ key: 'trace', value: key }]
measure(
  'append, seal',
  produce(null, () => bytes, null),
)
measure(
  'append, seal: with a key of 10 B',
  produce(key, () => bytes, null),
)
measure(
  'append, seal: with a header',
  produce(null, () => bytes, header),
)
measure(
  'append, seal: value a string',
  produce(null, () => text, null),
)
for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
  measure(
    `append, seal: ${codec}`,
    produce(null, i => documents[i % 1_000] ?? null, null, codec),
  )
}
measure(
  'read: check, walk',
  consume(key, null, cursor => {
    while (cursor.next()) sink += cursor.valueLength
  }),
)
measure(
  'read: check, a message each',
  consume(key, null, cursor => {
    sink += collect(cursor).length
  }),
)
measure(
  'read: check, a message each, its value',
  consume(key, null, cursor => {
    for (const message of collect(cursor)) sink += message.value?.length ?? 0
  }),
)
measure(
  'read: check, a message each, its key and value',
  consume(key, null, cursor => {
    for (const message of collect(cursor)) sink += (message.value?.length ?? 0) + (message.key?.length ?? 0)
  }),
)
measure(
  'read: check, a message each, its value and header',
  consume(key, header, cursor => {
    for (const message of collect(cursor)) sink += (message.value?.length ?? 0) + message.headers.length
  }),
)
for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
  measure(
    `read: check, a message each, its value: ${codec}`,
    consume(
      key,
      null,
      cursor => {
        for (const message of collect(cursor)) sink += message.value?.length ?? 0
      },
      codec,
    ),
  )
}
if (sink === 0) throw new Error('nothing was done')
