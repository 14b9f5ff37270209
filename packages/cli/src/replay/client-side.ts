/** One connection of a recording, made again to another broker. */
import { connect, type Socket } from 'node:net'
import { Conversation, FrameSplitter, encodeRequest, type BrokerAddress, type WireMessage } from '@ottla/protocol'

const MOST_FRAME_BYTES = 1024 * 1024 * 1024

export class ClientSide {
  readonly #socket: Socket
  readonly #conversation = new Conversation()
  readonly #answers = new Map<number, (answer: WireMessage | Error) => void>()
  #failure: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter(MOST_FRAME_BYTES)
    socket.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk, frame => this.#receive(frame))
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('error', (error: Error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the broker closed the connection')))
  }

  /** Rejects if the broker cannot be reached. */
  static open({ host, port }: BrokerAddress): Promise<ClientSide> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new ClientSide(socket))
      })
    })
  }

  /** The answer to a request with another body; or why there is none. Never rejects. */
  ask({ api, version, correlationId, clientId }: WireMessage, body: unknown): Promise<WireMessage | Error> {
    if (this.#failure !== null) return Promise.resolve(this.#failure)
    let bytes: Buffer
    try {
      bytes = Buffer.concat(encodeRequest(api, version, correlationId, clientId, body))
    } catch (error) {
      return Promise.resolve(error instanceof Error ? error : new Error(String(error)))
    }
    this.#conversation.request(bytes.subarray(4))
    return new Promise(resolve => {
      this.#answers.set(correlationId, resolve)
      this.#socket.write(bytes)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(frame: Buffer): void {
    const answer = this.#conversation.response(frame)
    if (answer.api === null) {
      this.#fail(new Error(`the broker's answer cannot be read: ${answer.why}`))
      return
    }
    this.#answers.get(answer.correlationId)?.(answer)
    this.#answers.delete(answer.correlationId)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const answer of this.#answers.values()) answer(this.#failure)
    this.#answers.clear()
    this.#socket.destroy()
  }
}
