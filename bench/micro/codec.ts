/**
 * What generated codecs cost: CPU per message for fetch and produce with many partitions, and for small messages.
 *
 *   node --conditions=@ottla/source --import tsx bench/micro/codec.ts [partitions]
 *
 * Prints the best and the median of nine rounds, in microseconds.
 */

import {
  Fetch,
  FetchServer,
  Heartbeat,
  HeartbeatServer,
  Metadata,
  MetadataServer,
  Produce,
  ProduceServer,
  Reader,
  Writer,
  type Api,
  type ServerApi,
} from '@ottla/protocol'

const PARTITIONS = Number(process.argv[2] ?? 1000)
const TOPICS = 10
const ROUNDS = 9
const ROUND_MS = 150

const topics = Array.from({ length: TOPICS }, (_, i) => `topic-number-${i}`)
const topicId = (i: number): string => Buffer.alloc(16, i + 1).toString('base64url')
const perTopic = Array.from({ length: Math.ceil(PARTITIONS / TOPICS) }, (_, i) => i)
const records = Buffer.alloc(1000, 1)

/** Keeps the compiler from dropping work whose result nobody sees. */
let sink = 0

function measure(name: string, run: () => number): void {
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    let spent = 0
    let count = 0
    while (spent < ROUND_MS * 1000) {
      for (let i = 0; i < 10; i++) sink += run()
      count += 10
      const { user, system } = process.cpuUsage(before)
      spent = user + system
    }
    costs.push(spent / count)
  }
  costs.sort((a, b) => a - b)
  const [best, median] = [costs[0] ?? 0, costs[ROUNDS >> 1] ?? 0]
  console.log(`| ${name.padEnd(34)} | ${best.toFixed(2).padStart(8)} | ${median.toFixed(2).padStart(8)} |`)
}

function compare<Req, Res>(
  client: Api<Req, Res>,
  server: ServerApi<Req, Res>,
  request: Req,
  response: Res,
  version: number = client.maxVersion,
): void {
  const write = (run: (w: Writer) => void): Writer => {
    const w = new Writer()
    run(w)
    return w
  }
  const requestBytes = write(w => client.writeRequest(w, request, version)).toBuffer()
  const responseBytes = write(w => server.writeResponse(w, response, version)).toBuffer()
  const name = `${client.name} v${version}`
  measure(`${name} request, write`, () => write(w => client.writeRequest(w, request, version)).size)
  measure(`${name} request, read`, () => (server.readRequest(new Reader(requestBytes), version) === null ? 1 : 0))
  measure(`${name} response, write`, () => write(w => server.writeResponse(w, response, version)).size)
  measure(`${name} response, read`, () => (client.readResponse(new Reader(responseBytes), version) === null ? 1 : 0))
}

console.log(`${PARTITIONS} partitions of ${TOPICS} topics, Node ${process.version}\n`)
console.log(`| ${'microseconds per message'.padEnd(34)} | ${'best'.padStart(8)} | ${'median'.padStart(8)} |`)
console.log(`| ${'-'.repeat(34)} | ${'-'.repeat(7)}: | ${'-'.repeat(7)}: |`)
for (const version of [11, 17]) {
  compare(
    Fetch,
    FetchServer,
    {
      maxWaitMs: 500,
      minBytes: 1,
      topics: topics.map((topic, i) => ({
        topic,
        topicId: topicId(i),
        partitions: perTopic.map(partition => ({
          partition,
          fetchOffset: 123_456_789_012,
          partitionMaxBytes: 1_048_576,
        })),
      })),
    },
    {
      throttleTimeMs: 0,
      responses: topics.map((topic, i) => ({
        topic,
        topicId: topicId(i),
        partitions: perTopic.map(partitionIndex => ({
          partitionIndex,
          errorCode: 0,
          highWatermark: 123_456_789_012,
          abortedTransactions: null,
          records,
        })),
      })),
    },
    version,
  )
}
compare(
  Produce,
  ProduceServer,
  {
    acks: -1,
    timeoutMs: 30_000,
    topicData: topics.map((name, i) => ({
      name,
      topicId: topicId(i),
      partitionData: perTopic.map(index => ({ index, records })),
    })),
  },
  {
    responses: topics.map((name, i) => ({
      name,
      topicId: topicId(i),
      partitionResponses: perTopic.map(index => ({ index, errorCode: 0, baseOffset: 123_456_789_012 })),
    })),
  },
)
compare(
  Metadata,
  MetadataServer,
  { topics: null },
  {
    brokers: [1, 2, 3].map(nodeId => ({ nodeId, host: 'broker.example.org', port: 9092 })),
    topics: topics.map((name, i) => ({
      errorCode: 0,
      name,
      topicId: topicId(i),
      partitions: perTopic.map(partitionIndex => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        replicaNodes: [1, 2, 3],
        isrNodes: [1, 2, 3],
      })),
    })),
  },
)
compare(Heartbeat, HeartbeatServer, { groupId: 'g', generationId: 7, memberId: 'ottla-1234' }, { errorCode: 0 })
if (sink < 0) console.log(sink)
