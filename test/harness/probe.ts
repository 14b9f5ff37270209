/**
 * Sends a broker a few requests in Kafka's wire format, encoded by hand: the harness must not depend on the client
 * that it tests.
 */
import { connect } from 'node:net'

export interface ClusterView {
  brokers: { id: number; host: string; port: number }[]
  controllerId: number
  topics: { name: string; error: number; partitions: { leader: number; isr: number[] }[] }[]
}

const METADATA = 3
const CREATE_TOPICS = 19
const DELETE_TOPICS = 20

/** Metadata v4 of these topics, without creating them; rejects if the broker does not answer in time. */
export async function askMetadata(port: number, topics: readonly string[], timeoutMs = 2000): Promise<ClusterView> {
  const body = Buffer.concat([array(topics.map(string)), Buffer.of(0)])
  const answer = new Fields(await ask(port, METADATA, 4, body, timeoutMs))
  answer.int32()
  const brokers = answer.array(() => {
    const broker = { id: answer.int32(), host: answer.string(), port: answer.int32() }
    answer.string()
    return broker
  })
  answer.string()
  const controllerId = answer.int32()
  return {
    brokers,
    controllerId,
    topics: answer.array(() => {
      const error = answer.int16()
      const name = answer.string()
      answer.int8()
      return {
        error,
        name,
        partitions: answer.array(() => {
          answer.int16()
          answer.int32()
          const leader = answer.int32()
          answer.array(() => answer.int32())
          return { leader, isr: answer.array(() => answer.int32()) }
        }),
      }
    }),
  }
}

/** CreateTopics v2; the broker's error code. */
export async function createTopic(port: number, topic: string, partitions: number, replicas: number): Promise<number> {
  const one = Buffer.concat([string(topic), int32(partitions), int16(replicas), array([]), array([])])
  const body = Buffer.concat([array([one]), int32(10_000), Buffer.of(0)])
  const answer = new Fields(await ask(port, CREATE_TOPICS, 2, body, 12_000))
  answer.int32()
  return (
    answer.array(() => {
      answer.string()
      const error = answer.int16()
      answer.string()
      return error
    })[0] ?? -1
  )
}

/** DeleteTopics v1; the broker's error code. */
export async function deleteTopic(port: number, topic: string): Promise<number> {
  const answer = new Fields(
    await ask(port, DELETE_TOPICS, 1, Buffer.concat([array([string(topic)]), int32(10_000)]), 12_000),
  )
  answer.int32()
  return (
    answer.array(() => {
      answer.string()
      return answer.int16()
    })[0] ?? -1
  )
}

/** Sends one request on a new connection. @returns the response's body */
function ask(port: number, apiKey: number, version: number, body: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const header = Buffer.concat([int16(apiKey), int16(version), int32(1), string('harness')])
    const socket = connect({ host: '127.0.0.1', port })
    const chunks: Buffer[] = []
    const fail = (reason: string): void => {
      socket.destroy()
      reject(new Error(`the broker on port ${port} ${reason}`))
    }
    const timer = setTimeout(() => {
      fail(`did not answer request ${apiKey} within ${timeoutMs} ms`)
    }, timeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      fail(`closed the connection instead of answering request ${apiKey}`)
    })
    socket.once('error', error => {
      fail(`cannot be reached: ${error.message}`)
    })
    socket.on('data', chunk => {
      chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return
      resolve(bytes.subarray(8))
      socket.destroy()
    })
    socket.write(Buffer.concat([int32(header.length + body.length), header, body]))
  })
}

class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  string(): string {
    const length = Math.max(0, this.int16())
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  #take(size: number): number {
    const start = this.#at
    this.#at += size
    return start
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([int16(bytes.length), bytes])
}

function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items])
}
