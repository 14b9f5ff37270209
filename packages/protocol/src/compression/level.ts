import type { CompressionCodec } from './codec.ts'

/** Clamps `level` to the codec's range; -1 becomes `standard`. */
export function levelWithin(
  codec: Pick<CompressionCodec, 'minLevel' | 'maxLevel'>,
  level: number,
  standard: number,
): number {
  return level === -1 ? standard : Math.min(Math.max(level, codec.minLevel), codec.maxLevel)
}
