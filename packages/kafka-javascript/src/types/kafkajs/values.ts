/** Headers and offsets, which several clients take. */

/** Headers by name; several of one name are an array. */
export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined
}

/** An offset of a partition. */
export interface PartitionOffset {
  partition: number
  offset: string
}

/** Offsets of a topic. */
export interface TopicOffsets {
  topic: string
  partitions: PartitionOffset[]
}
