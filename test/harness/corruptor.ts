/** A proxy in front of a broker that changes its responses, and random changes that fast-check can repeat. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { FrameSplitter } from '@ottla/protocol'
import fc from 'fast-check'

/** Changes the bytes of one response to a request of that API. */
export type Harm = (answer: Buffer, apiKey: number) => Buffer

/** Forwards requests unchanged, and responses as changed by `harm`. */
export class Corruptor {
  harm: Harm = answer => answer
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(target: number) {
    this.#server = createServer(client => {
      const broker = connect({ host: '127.0.0.1', port: target })
      const requests = new FrameSplitter(1e8)
      const answers = new FrameSplitter(1e8)
      // Responses arrive in the order of the requests.
      const apiKeys: number[] = []
      for (const socket of [client, broker]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          broker.destroy()
        })
      }
      client.on('data', chunk => {
        requests.push(chunk, request => apiKeys.push(request.readInt16BE(0)))
        broker.write(chunk)
      })
      broker.on('data', chunk =>
        answers.push(chunk, answer => {
          const size = Buffer.alloc(4)
          size.writeInt32BE(answer.length)
          client.write(this.harm(Buffer.concat([size, answer]), apiKeys.shift() ?? -1))
        }),
      )
    })
  }

  static async start(target: number): Promise<Corruptor> {
    const corruptor = new Corruptor(target)
    await new Promise<void>(resolve => corruptor.#server.listen(0, '127.0.0.1', resolve))
    return corruptor
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** A change, and its place as a fraction of the response's length. */
export interface Change {
  readonly kind: 'flip' | 'int8' | 'int16' | 'int32' | 'int64' | 'varint' | 'cut' | 'grow'
  readonly place: number
  readonly value: number
}

const telling = [0, 1, -1, 0x7f, 0x80, 0x7fff, -0x8000, 0x7fffffff, -0x80000000, 0x00ffffff]

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('flip', 'int8', 'int16', 'int32', 'int64', 'varint', 'cut', 'grow'),
  place: fc.nat(1000).map(n => n / 1000),
  value: fc.oneof(fc.constantFrom(...telling), fc.integer()),
})

/** Changes bytes behind the size and the correlation id, so that most changes reach the decoders. */
function apply(answer: Buffer, { kind, place, value }: Change): Buffer {
  const bytes = Buffer.from(answer)
  const at = Math.min(bytes.length - 1, 8 + Math.floor(place * Math.max(0, bytes.length - 8)))
  const room = bytes.length - at
  switch (kind) {
    case 'flip':
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (value & 7))
      return bytes
    case 'int8':
      bytes[at] = value
      return bytes
    case 'int16':
      if (room >= 2) bytes.writeInt16BE((value << 16) >> 16, at)
      return bytes
    case 'int32':
      if (room >= 4) bytes.writeInt32BE(value, at)
      return bytes
    case 'int64':
      if (room >= 8) bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value) * 0x1_0000_0001n), at)
      return bytes
    case 'varint':
      for (let i = 0; i < Math.min(4, room - 1); i++) bytes[at + i] = 0x80 | (value >>> (7 * i))
      return bytes
    case 'cut': {
      const shorter = bytes.subarray(0, at)
      if (shorter.length >= 4) shorter.writeInt32BE(shorter.length - 4, 0)
      return shorter
    }
    case 'grow':
      return Buffer.concat([bytes, bytes.subarray(at)])
    default:
      return kind satisfies never
  }
}

/** A few changes to one response. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(change, { minLength: 1, maxLength: 3 })

/** A response, with its size in front, with all of the changes. */
export function changed(answer: Buffer, wanted: readonly Change[]): Buffer {
  return wanted.reduce(apply, answer)
}
