/** Batches that decompress to more than a broker accepts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BATCH_HEADER_BYTES, BatchWriter, codecByName, crc32c, ErrorCode, Produce } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

// Positions of the header fields that change.
const LENGTH_AT = 8
const CRC_AT = 17
const ATTRIBUTES_AT = 21

const zeros = Buffer.alloc(4_000_000)
/** 280 MB in total, where the broker accepts 256 MB. */
const PARTS = 70

function bomb(name: 'gzip' | 'snappy' | 'lz4' | 'zstd'): Buffer {
  const codec = codecByName(name)
  const writer = new BatchWriter()
  writer.append(null, 'x', null, 1000)
  const harmless = Buffer.from(writer.seal({ codec }))
  // In all of these formats streams can be concatenated.
  const part = name === 'gzip' ? gzipSync(zeros) : codec.compress(zeros)
  const body = new Array<Uint8Array>(PARTS).fill(part)
  const bytes = Buffer.concat([harmless.subarray(0, BATCH_HEADER_BYTES), ...body])
  // A single record would stay uncompressed, because that is smaller.
  bytes.writeInt16BE((bytes.readInt16BE(ATTRIBUTES_AT) & ~7) | codec.id, ATTRIBUTES_AT)
  bytes.writeInt32BE(bytes.length - LENGTH_AT - 4, LENGTH_AT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
  return bytes
}

test('a batch that decompresses beyond the limit is refused, whatever its codec, and the broker carries on', async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { configs: { 'max.message.bytes': '64000000' } })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const produce = async (records: Buffer): Promise<{ errorCode?: number; errorMessage?: string | null }> => {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
    const { responses } = await client.ask(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData })
    return responses[0]?.partitionResponses[0] ?? {}
  }
  for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const { errorCode, errorMessage } = await produce(bomb(name))
    assert.equal(errorCode, ErrorCode.ERR_INVALID_MSG, name)
    assert.match(errorMessage ?? '', /more than|limit/, name)
  }
  const writer = new BatchWriter()
  writer.append(null, 'harmless', null, Date.now())
  assert.equal((await produce(Buffer.from(writer.seal({})))).errorCode, ErrorCode.ERR_NO_ERROR)
  assert.equal(cluster.messages('t').length, 1)
  client.close()
})
