/** Parses `auto.offset.reset`: librdkafka's words, and Java's durations (KIP-1106). */

export type ResetPolicy =
  | { readonly to: 'earliest' | 'latest' | 'error' }
  /** The first message not older than this, in ms; after the last one if all are older. */
  | { readonly to: 'age'; readonly ms: number }

/** The prefix of a duration. */
export const BY_DURATION = 'by_duration:'

const words: Readonly<Record<string, 'earliest' | 'latest' | 'error'>> = {
  smallest: 'earliest',
  earliest: 'earliest',
  beginning: 'earliest',
  largest: 'latest',
  latest: 'latest',
  end: 'latest',
  error: 'error',
}

const durationForm = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** Null for anything but one of the words or `by_duration:` with an ISO 8601 duration (`PT1H30M`, `P7D`). */
export function resetPolicy(setting: string): ResetPolicy | null {
  const to = words[setting]
  if (to !== undefined) return { to }
  if (!setting.startsWith(BY_DURATION)) return null
  const found = durationForm.exec(setting.slice(BY_DURATION.length))
  // Missing parts are undefined, whatever the types say.
  const parts: readonly (string | undefined)[] = found?.slice(1) ?? []
  if (parts.every(part => part === undefined)) return null
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(part => Number(part ?? 0))
  return { to: 'age', ms: (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 }
}
