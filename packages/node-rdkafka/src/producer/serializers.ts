/** Serializers of three kinds: with a callback, with a promise, at once. */

/** With two parameters the second one is a callback. */
export type AnySerializer = (value: unknown, cb: (error: unknown, value: unknown) => void) => unknown
/** The same, with the topic first. */
export type AnyTopicSerializer = (
  topic: string,
  value: unknown,
  cb: (error: unknown, value: unknown) => void,
) => unknown

/** A serializer with the topic that it is for. */
export type SerializerFor = (topic: string) => AnySerializer

/** Serializers that do not ask for the topic. */
export function ofAnyTopic(serializer: AnySerializer): SerializerFor {
  return () => serializer
}

export function ofTopic(serializer: AnyTopicSerializer): SerializerFor {
  return topic =>
    serializer.length > 2
      ? (value, cb) => serializer(topic, value, cb)
      : // One that takes no callback must not look as if it did.
        (value: unknown) => (serializer as (topic: string, value: unknown) => unknown)(topic, value)
}

/**
 * What a message is to be sent as; a promise of it if the serializer takes its time.
 * @throws an error with the value and the serializer for what the serializer throws
 */
export function serialize(serializer: AnySerializer | null, value: unknown): unknown {
  if (serializer === null) return value
  try {
    if (serializer.length > 1) {
      return new Promise((resolve, reject) => {
        serializer(value, (error, serialized) => {
          // Whatever the program calls an error is handed back as it is.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          if (error !== undefined && error !== null) reject(error)
          else resolve(serialized)
        })
      })
    }
    // One that takes no callback gets none.
    const serialized = (serializer as (value: unknown) => unknown)(value)
    return isThenable(serialized) ? Promise.resolve(serialized) : serialized
  } catch (error) {
    throw failure(error, value, serializer)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function failure(error: unknown, value: unknown, serializer: AnySerializer): Error {
  const why = error instanceof Error ? error.message : String(error)
  return Object.assign(new Error(`Could not serialize value: ${why}`, { cause: error }), { value, serializer })
}
