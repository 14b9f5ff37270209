/** Handlers' work on the channel `ottla:process`. */
import type { ChannelClient, ProcessPayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import type { Message } from '../../types.ts'

type Handle<R> = () => R | Promise<R>

/** The handler's call for a message: itself, or one that is published if anybody subscribes. */
export function tracedMessage<R>(
  client: ChannelClient,
  message: Message<unknown, unknown>,
  attempt: number,
  handle: Handle<R>,
): Handle<R> {
  if (!channels.process.hasSubscribers) return handle
  const { topic, partition, offset } = message
  return () => traced({ client, topic, partition, offset, messageCount: 1, attempt, message, batch: null }, handle)
}

/** As `tracedMessage`, for a batch. */
export function tracedBatch<R>(
  client: ChannelClient,
  batch: Iterable<Message<unknown, unknown>> & {
    readonly topic: string
    readonly partition: number
    readonly firstOffset: number
    readonly length: number
  },
  attempt: number,
  handle: Handle<R>,
): Handle<R> {
  if (!channels.process.hasSubscribers) return handle
  const { topic, partition, firstOffset: offset, length: messageCount } = batch
  return () => traced({ client, topic, partition, offset, messageCount, attempt, message: null, batch }, handle)
}

function traced<R>(payload: ProcessPayload, handle: Handle<R>): R | Promise<R> {
  // `within` may return nothing, as the handler may.
  return channels.process.traceWork(payload, () => (payload.within === undefined ? handle() : payload.within(handle)))
}
