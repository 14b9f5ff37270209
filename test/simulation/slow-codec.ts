/** A codec of a program's own that takes its time: meanwhile connections are lost, and partitions given to others. */
import { gunzipSync, gzipSync } from 'node:zlib'
import type { RecordCodec } from 'ottla'
import type { World } from './world.ts'

const longestMs = [10, 100, 1000] as const

/** @param name - of the client */
export function slowGzip(world: World, name: string): RecordCodec {
  const dice = world.simulation.dice(`${name}'s codec`)
  const mostMs = dice.pick(longestMs)
  return {
    name: 'gzip',
    compress: records => gzipSync(records),
    async decompress(records) {
      await world.sleep(dice.int(0, mostMs))
      return gunzipSync(records)
    },
  }
}
