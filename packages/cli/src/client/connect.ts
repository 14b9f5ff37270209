import { ErrorCode, type KafkaError, type Metadata } from 'ottla'

type ErrorListener = (event: { type: 'error'; error: KafkaError }) => void

/** The part of any client that `firstContact` needs. */
export interface Contactable {
  getMetadata(options: { topic?: string; allTopics?: boolean; timeoutMs?: number }): Promise<Metadata>
  on(type: 'error', listener: ErrorListener): unknown
  off(type: 'error', listener: ErrorListener): unknown
}

const CONTACT_TIMEOUT_MS = 30_000
/**
 * Fetches metadata, and rejects at once if the address or the password is wrong. A client retries for ever, which is right
 * for a service but not for somebody at a terminal. After the first contact, the command relies on the client's retries.
 * @param query which metadata to ask for; only the brokers by default
 */
export async function firstContact(
  client: Contactable,
  query: { topic?: string; allTopics?: boolean } = { allTopics: false },
): Promise<Metadata> {
  let listener: ErrorListener | undefined
  // The reason (refused, unknown host) is reported before "all brokers down", which alone explains nothing.
  let reason: KafkaError | undefined
  const failure = new Promise<never>((_, reject) => {
    listener = ({ error }) => {
      if (error.code === ErrorCode.ERR__ALL_BROKERS_DOWN) reject(reason ?? error)
      else if (error.code === ErrorCode.ERR__AUTHENTICATION) reject(error)
      else reason = error
    }
    client.on('error', listener)
  })
  try {
    return await Promise.race([client.getMetadata({ ...query, timeoutMs: CONTACT_TIMEOUT_MS }), failure])
  } finally {
    if (listener !== undefined) client.off('error', listener)
  }
}
