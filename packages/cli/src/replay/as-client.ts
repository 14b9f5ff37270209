/** `ottla replay --as client`: makes the recorded requests to other brokers, and shows where they answer differently. */
import {
  SaslAuthenticate,
  SaslHandshake,
  messageWords,
  type BrokerAddress,
  type ClusterNames,
  type Recording,
  type WireMessage,
} from '@ottla/protocol'
import { AdminClient } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { addressFrom } from '../listen/listeners.ts'
import { printable } from '../terminal/printable.ts'
import { DONE, FAILED, note, UsageError, type Terminal } from '../terminal/terminal.ts'
import { ClientSide } from './client-side.ts'
import { Translation } from './compare.ts'
import { transcribe, type Entry } from './transcript.ts'

const PATIENCE_MS = 10_000

export async function replayAsClient(
  recording: Recording,
  brokers: string | undefined,
  terminal: Terminal,
): Promise<number> {
  if (brokers === undefined) throw new UsageError('--as client: give the brokers to ask with -b HOST:PORT,...')
  const { entries, names } = transcribe(recording)
  const replay = new Replay(await routes(brokers, names), names, terminal)
  try {
    for (const entry of entries) {
      if (terminal.stop.aborted) break
      await replay.play(entry)
    }
    return replay.conclude()
  } finally {
    replay.close()
  }
}

/** Where to find each recorded broker now: by its id, if there is one of that id. */
async function routes(brokers: string, names: ClusterNames): Promise<(broker: string) => BrokerAddress> {
  const admin = new AdminClient({ 'bootstrap.servers': brokers }, { logger: () => undefined })
  try {
    const now = new Map(
      (await firstContact(admin)).brokers.map(({ id, host, port }) => [`broker ${id}`, { host, port }]),
    )
    const others = [...now.values()]
    const bootstrap = addressFrom(brokers.split(',')[0] ?? '')
    return broker =>
      now.get(names.broker(broker)) ?? (names.broker(broker) === broker ? bootstrap : others[0]) ?? bootstrap
  } finally {
    await admin.close()
  }
}

class Replay {
  readonly #routes: (broker: string) => BrokerAddress
  readonly #names: ClusterNames
  readonly #terminal: Terminal
  readonly #translation = new Translation()
  readonly #sides = new Map<number, ClientSide>()
  readonly #asked = new Map<WireMessage, Promise<WireMessage | Error>>()
  #same = 0
  #different = 0
  #isWithoutLogIn = false

  constructor(routesNow: (broker: string) => BrokerAddress, names: ClusterNames, terminal: Terminal) {
    this.#routes = routesNow
    this.#names = names
    this.#terminal = terminal
  }

  async play({ event, connection, message, tookMs }: Entry): Promise<void> {
    if (connection === null) return
    if (event.event === 'closed') this.#sides.get(event.connection)?.close()
    if (message === null || message.api === null) return
    if (message.api.key === SaslHandshake.key || message.api.key === SaslAuthenticate.key) {
      this.#isWithoutLogIn = true
      return
    }
    if (message.request === null) await this.#ask(connection.number, connection.broker, message)
    else await this.#compare(this.#names.broker(connection.broker), message, message.request, tookMs ?? 0)
  }

  /** @returns the exit status */
  conclude(): number {
    if (this.#isWithoutLogIn) note(this.#terminal, 'log-ins were left out: their passwords are not in the recording')
    const all = this.#same + this.#different
    note(this.#terminal, `${all} answers compared, ${this.#different} differ from the recording`)
    return this.#different === 0 ? DONE : FAILED
  }

  close(): void {
    for (const side of this.#sides.values()) side.close()
  }

  async #ask(connection: number, broker: string, message: WireMessage): Promise<void> {
    const side = this.#sides.get(connection) ?? (await ClientSide.open(this.#routes(broker)))
    this.#sides.set(connection, side)
    this.#asked.set(message, side.ask(message, this.#translation.request(message.body)))
  }

  async #compare(broker: string, recorded: WireMessage, request: WireMessage, tookMs: number): Promise<void> {
    const asked = this.#asked.get(request)
    if (asked === undefined) return
    const answer = await within(asked, tookMs + PATIENCE_MS)
    if (!(answer instanceof Error)) this.#names.learn(answer)
    const found = answer instanceof Error ? [answer.message] : this.#translation.differences(recorded.body, answer.body)
    const shown = messageWords(answer instanceof Error ? recorded : answer, this.#names).join('  ')
    if (found.length === 0) this.#same++
    else this.#different++
    const lines = [`${found.length === 0 ? '=' : '!'} ${broker}  ${shown}`, ...found.map(line => `    ${line}`)]
    for (const line of lines) this.#terminal.stdout.write(`${printable(line)}\n`)
  }
}

async function within(answer: Promise<WireMessage | Error>, ms: number): Promise<WireMessage | Error> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Error>(resolve => {
    timer = setTimeout(() => resolve(new Error(`no answer within ${Math.round(ms)} ms`)), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
