/** Messages that could not be processed, as they go to the dead-letter topic. */
import type { HeaderInput } from '../../types.ts'
import type { FetchedMessage } from '../partition/message.ts'
import { textOf } from './failure.ts'
import type { DeadLetterSink } from './options.ts'

/** Sends the message as it came, with extra headers that say where it came from and what went wrong. */
export async function sendDeadLetter(
  message: FetchedMessage,
  error: unknown,
  attempts: number,
  { topic, producer }: { readonly topic: string; readonly producer: DeadLetterSink },
): Promise<void> {
  const { key, value } = message
  const origin: HeaderInput[] = [
    { key: 'ottla.origin.topic', value: message.topic },
    { key: 'ottla.origin.partition', value: String(message.partition) },
    { key: 'ottla.origin.offset', value: String(message.offset) },
    { key: 'ottla.origin.timestamp', value: String(message.timestamp) },
    { key: 'ottla.error', value: textOf(error) },
    { key: 'ottla.attempts', value: String(attempts) },
  ]
  await producer.send({ topic, key, value, headers: [...message.headers, ...origin] })
}
