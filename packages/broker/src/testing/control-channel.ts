/** How the worker processes of a test runner reach the cluster of its main process. */
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import type { ClusterCalls } from './access.ts'
import { realTime } from './time.ts'

/** Where a cluster can be called. */
export interface ControlAddress {
  readonly host: string
  readonly port: number
  /** Whoever does not know it is not answered. */
  readonly token: string
}

interface Call {
  readonly id: number
  readonly token: string
  readonly name: string
  readonly args: readonly unknown[]
}

type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string }

const CALL_TIMEOUT_MS = 30_000

/** The calls, by name: the type sees to it that none is forgotten. */
const names: Readonly<Record<keyof ClusterCalls, true>> = {
  createTopic: true,
  deleteTopic: true,
  topics: true,
  produce: true,
  progress: true,
  messages: true,
  committedOffsets: true,
  groups: true,
  deleteGroup: true,
}

/** Answers calls of other processes on this machine, without keeping this one alive. */
export async function serveCalls(
  calls: ClusterCalls,
): Promise<{ readonly address: ControlAddress; readonly close: () => Promise<void> }> {
  const host = '127.0.0.1'
  const token = randomUUID()
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.unref())
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    onLines(socket, line => void answer(socket, line, token, calls))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  server.unref()
  const { port } = server.address() as AddressInfo // it listens on TCP
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>(resolve => server.close(() => resolve()))
  }
  return { address: { host, port, token }, close }
}

async function answer(socket: Socket, line: string, token: string, calls: ClusterCalls): Promise<void> {
  const call = parsed(line)
  if (call === null || !isSame(call.token, token) || !Object.hasOwn(names, call.name)) {
    socket.destroy()
    return
  }
  const { id, name, args } = call
  const method = calls[name as keyof ClusterCalls] as (...args: readonly unknown[]) => Promise<unknown>
  let reply: Answer
  try {
    reply = { id, result: await method(...args) }
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) }
  }
  socket.write(encoded(reply))
}

function parsed(line: string): Call | null {
  try {
    return decoded(line) as Call
  } catch {
    return null
  }
}

function isSame(given: unknown, token: string): boolean {
  if (typeof given !== 'string' || given.length !== token.length) return false
  return timingSafeEqual(Buffer.from(given), Buffer.from(token))
}

/** The calls of a cluster in another process. Rejects with Error when that is gone or does not answer for 30 s. */
export async function connectCalls({
  host,
  port,
  token,
}: ControlAddress): Promise<{ readonly calls: ClusterCalls; readonly close: () => Promise<void> }> {
  const waiting = new Map<
    number,
    { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
  >()
  const gone = new Error('the shared cluster is gone: the process that started it has ended, or closed it')
  const socket = connect({ host, port })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', error => {
      reject(new Error('the shared cluster cannot be reached', { cause: error }))
    })
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(gone)
    waiting.clear()
  })
  onLines(socket, line => {
    const reply = decoded(line) as Answer
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    // Between two calls the connection keeps no process alive.
    if (waiting.size === 0) socket.unref()
    if ('error' in reply) call?.reject(new Error(reply.error))
    else call?.resolve(reply.result)
  })
  socket.unref()
  let last = 0
  const call = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    if (socket.destroyed) throw gone
    const id = ++last
    const timer = realTime.timer(CALL_TIMEOUT_MS)
    const late = timer.due.then(() => {
      throw new Error(`the shared cluster did not answer within ${CALL_TIMEOUT_MS} ms`)
    })
    try {
      const reply = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
      socket.ref().write(encoded({ id, token, name, args }))
      return await Promise.race([reply, late])
    } finally {
      timer.cancel()
      waiting.delete(id)
    }
  }
  const calls = Object.fromEntries(
    Object.keys(names).map(name => [name, (...args: readonly unknown[]) => call(name, args)]),
  ) as unknown as ClusterCalls
  const close = (): Promise<void> => {
    socket.destroy()
    return Promise.resolve()
  }
  return { calls, close }
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

const BYTES = '$bytes'

/** One line of JSON; bytes as base64. */
function encoded(value: Call | Answer): string {
  const json = JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key: string, plain: unknown) {
    // Buffers have been turned into something else already when they arrive as a value.
    const own = this[key]
    if (!ArrayBuffer.isView(own)) return plain
    return { [BYTES]: Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64') }
  })
  return `${json}\n`
}

function decoded(line: string): unknown {
  return JSON.parse(line, (_, value: unknown) => {
    const bytes = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[BYTES] : undefined
    return typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : value
  })
}
