/* eslint-disable @typescript-eslint/no-explicit-any -- node-rdkafka's own types */

/** A partition of a topic. */
export interface TopicPartition {
  topic: string
  partition: number
  /** Of a message whose offset is committed. */
  leaderEpoch?: number
}

/** An offset in a partition. */
export interface TopicPartitionOffset extends TopicPartition {
  offset: number
}

/** A time in a partition: `offset` is in ms since the epoch. */
export type TopicPartitionTime = TopicPartitionOffset

/** The end of a partition, as a consumer has reached it. */
export type EofEvent = TopicPartitionOffset

/** A partition to read, from its committed offset or from the given one. */
export type Assignment = TopicPartition | TopicPartitionOffset

/** What an optional argument may be. */
export type NumberNullUndefined = number | null | undefined

/** The key of a message. */
export type MessageKey = Buffer | string | null | undefined

/** A header: its name and its value. */
export type MessageHeader = { [key: string]: string | Buffer }

/** The value of a message. */
export type MessageValue = Buffer | null

/** A topic's name, or a pattern: a regular expression, or a string that begins with `^`. */
export type SubscribeTopic = string | RegExp

/** Topics to subscribe to. */
export type SubscribeTopicList = SubscribeTopic[]

/** A message as a consumer gets it. */
export interface Message extends TopicPartitionOffset {
  value: MessageValue
  /** The length of the value in bytes. */
  size: number
  topic: string
  key?: MessageKey
  /** ms since the epoch. */
  timestamp?: number
  headers?: MessageHeader[]
  opaque?: any
}

/** What became of a message. */
export interface DeliveryReport extends TopicPartitionOffset {
  /** With `dr_msg_cb`. */
  value?: MessageValue
  /** The length of the value in bytes. */
  size: number
  key?: MessageKey
  /** ms since the epoch. */
  timestamp?: number
  /** As it was given to `produce`. */
  opaque?: any
}
