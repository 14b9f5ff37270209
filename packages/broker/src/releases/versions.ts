/** Which versions of each API a broker of some release serves. */
import { apis } from '@ottla/protocol'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

/**
 * The Kafka releases that a cluster can pose as.
 * @since 0.1.0
 */
export type KafkaRelease = '2.1' | '3.9' | '4.3'

// Lowest and highest version by API key, as Kafka 2.1 answers ApiVersions.
const kafka21: readonly (readonly [key: number, min: number, max: number])[] = [
  [0, 0, 7],
  [1, 0, 10],
  [2, 0, 4],
  [3, 0, 7],
  [8, 0, 6],
  [9, 0, 5],
  [10, 0, 2],
  [11, 0, 3],
  [12, 0, 2],
  [13, 0, 2],
  [14, 0, 2],
  [15, 0, 2],
  [16, 0, 2],
  [17, 0, 1],
  [18, 0, 2],
  [19, 0, 3],
  [20, 0, 3],
  [21, 0, 1],
  [22, 0, 1],
  [23, 0, 2],
  [24, 0, 1],
  [25, 0, 1],
  [26, 0, 1],
  [27, 0, 0],
  [28, 0, 2],
  [29, 0, 1],
  [30, 0, 1],
  [31, 0, 1],
  [32, 0, 2],
  [33, 0, 1],
  [34, 0, 1],
  [35, 0, 1],
  [36, 0, 0],
  [37, 0, 1],
  [38, 0, 1],
  [39, 0, 1],
  [40, 0, 1],
  [41, 0, 1],
  [42, 0, 1],
]

// Highest versions of Kafka 3.9 that are below those of 4.3. The old versions that 4.0 dropped are not served.
const kafka39Max: ReadonlyMap<number, number> = new Map([
  [0, 11],
  [1, 17],
  [2, 9],
  [3, 12],
  [8, 9],
  [9, 9],
  [15, 5],
  [22, 5],
  [26, 4],
  [28, 4],
  [35, 4],
  [45, 0],
  [57, 1],
  [60, 1],
  [68, 0],
  [69, 0],
  [74, 0],
  [80, 0],
])
const notIn39: ReadonlySet<number> = new Set([76, 77, 78, 79, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92])

/** The ranges of the served APIs, restricted to what the release knew. */
export function versionsOf(release: KafkaRelease, served: ReadonlySet<number>): Map<number, VersionRange> {
  const ranges = new Map<number, VersionRange>()
  for (const { key, minVersion, maxVersion } of apis) {
    if (!served.has(key)) continue
    switch (release) {
      case '4.3':
        ranges.set(key, { min: minVersion, max: maxVersion })
        break
      case '3.9':
        if (!notIn39.has(key))
          ranges.set(key, { min: minVersion, max: Math.min(maxVersion, kafka39Max.get(key) ?? maxVersion) })
        break
      case '2.1': {
        const row = kafka21.find(([known]) => known === key)
        if (row === undefined) break
        const range = { min: Math.max(minVersion, row[1]), max: Math.min(maxVersion, row[2]) }
        // WriteTxnMarkers: the versions that 2.1 has are gone from today's Kafka.
        if (range.min <= range.max) ranges.set(key, range)
        break
      }
      default:
        release satisfies never
    }
  }
  return ranges
}
