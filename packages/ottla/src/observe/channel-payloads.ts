/** What is published on the channels of channels.ts: the contract with those who subscribe. */
import type { DeliveryReport, Message, ProducerMessage, RebalanceEvent, TopicPartitionOffset } from '../types.ts'

/**
 * The client that publishes.
 * @since 0.1.0
 */
export interface ChannelClient {
  /** Unique in the process, as in the statistics: `orders#producer-1`. */
  readonly name: string
  readonly kind: 'producer' | 'consumer' | 'admin'
  /** `client.id` */
  readonly clientId: string
  /** `group.id`; null without one. */
  readonly groupId: string | null
  /** `transactional.id`; null without one. */
  readonly transactionalId: string | null
}

/**
 * The broker that an operation concerns.
 * @since 0.1.0
 */
export interface ChannelBroker {
  /** As in the statistics: `127.0.0.1:9092/1`. */
  readonly name: string
  readonly host: string
  readonly port: number
}

/**
 * What all payloads have. The same object is published at every step of an operation, and subscribers may keep things
 * of their own on it, under symbols.
 * @since 0.1.0
 */
export interface ChannelPayload<R = unknown> {
  readonly client: ChannelClient
  /** The outcome, from `asyncStart` on; absent after an error. */
  result?: R
  /** Why the operation failed, from `error` on. */
  error?: unknown
}

/**
 * `ottla:connect`: an attempt to connect to a broker, authentication included.
 * @since 0.1.0
 */
export interface ConnectPayload extends ChannelPayload<void> {
  readonly broker: ChannelBroker
}

/**
 * `ottla:authenticate`: a SASL authentication, or its renewal (KIP-368).
 * @since 0.1.0
 */
export interface AuthenticatePayload extends ChannelPayload<void> {
  readonly broker: ChannelBroker
  /** `SCRAM-SHA-512` */
  readonly mechanism: string
  /** Whether the connection is in use already. */
  readonly isRenewal: boolean
}

/**
 * `ottla:request`: a request, from when it is written to its response.
 * @since 0.1.0
 */
export interface RequestPayload extends ChannelPayload<RequestResult> {
  readonly broker: ChannelBroker
  readonly apiKey: number
  /** `Fetch` */
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  /** With its length prefix. */
  readonly requestBytes: number
}

/**
 * What came back.
 * @since 0.1.0
 */
export interface RequestResult {
  /** With its length prefix; 0 if there is no response (`acks=0`). */
  readonly responseBytes: number
  /** How long the broker asks the client to wait (KIP-124), ms. */
  readonly throttleTimeMs: number
}

/**
 * `ottla:send`: one message, from `produce` or `send` to its delivery report. At `start` a subscriber may set `message`
 * to another object that is sent instead, with a header more, say. It must not change the one that is there, which is
 * the application's own.
 * @since 0.1.0
 */
export interface SendPayload extends ChannelPayload<DeliveryReport> {
  message: ProducerMessage<unknown, unknown>
}

/**
 * `ottla:carry`: a producer begins a batch. For subscribers that add something to messages and need not know what becomes
 * of them: at `start` they may set `carry`, which is called for each message that the program produces until the next
 * batch begins, at a third of the cost of `ottla:send`. There are `start` and `end` only.
 * @since 0.1.0
 */
export interface CarryPayload extends ChannelPayload {
  /**
   * Returns the message to send: the given one, or another in its place. It must not change the given one, which is the
   * application's own, and must not throw. Whoever finds a function here calls it as well.
   */
  carry?: Carry
}

/**
 * See `CarryPayload`.
 * @since 0.1.0
 */
export type Carry = (message: ProducerMessage<unknown, unknown>) => ProducerMessage<unknown, unknown>

/**
 * `ottla:produce`: one batch, each time that it is sent, from when it is put into a request to the request's end.
 * @since 0.1.0
 */
export interface ProducePayload extends ChannelPayload<ProduceResult> {
  readonly topic: string
  readonly partition: number
  /** The broker's id. */
  readonly brokerId: number
  readonly messageCount: number
  /** Of the batch as it is sent, compressed. */
  readonly sizeBytes: number
  /** How long its first message has waited, ms. */
  readonly queuedMs: number
  /** 1 for the first time that it is sent. */
  readonly attempt: number
  /** As given to `produce`, in order; valid at `start` only. */
  readonly messages: readonly ProducerMessage<unknown, unknown>[]
}

/**
 * What came of a batch that was sent.
 * @since 0.1.0
 */
export interface ProduceResult {
  /** `retried`: it is sent again, and `error` says why. */
  readonly status: DeliveryReport['status'] | 'retried'
  /** The first message's offset; -1 if unknown. */
  readonly baseOffset: number
}

/**
 * `ottla:delivery`: the reports of messages with the same outcome are given to the application. It begins and ends
 * within one turn: there are `start` and `end` only.
 * @since 0.1.0
 */
export interface DeliveryPayload extends ChannelPayload {
  readonly topic: string
  /** -1 if none was chosen. */
  readonly partition: number
  readonly messageCount: number
  readonly status: DeliveryReport['status']
  /** Since the first of them was accepted, ms. */
  readonly latencyMs: number
}

/**
 * `ottla:fetch`: a fetch request for all partitions of one broker, and what it brought.
 * @since 0.1.0
 */
export interface FetchPayload extends ChannelPayload<void> {
  /** The broker's id. */
  readonly brokerId: number
  /** How many partitions were asked for. */
  readonly partitionCount: number
  /** Messages and bytes that came and can be delivered; by topic and partition. */
  readonly fetched: FetchedCount[]
}

/**
 * What a fetch brought of one partition.
 * @since 0.1.0
 */
export interface FetchedCount {
  readonly topic: string
  readonly partition: number
  readonly messageCount: number
  /** Of the batches as they came, compressed. */
  readonly sizeBytes: number
}

/**
 * `ottla:process`: a handler's work on one message or batch (`run`), once for each attempt. Stores that are bound to
 * its `start` channel (`bindStore`) hold within the handler.
 * @since 0.1.0
 */
export interface ProcessPayload extends ChannelPayload {
  readonly topic: string
  readonly partition: number
  /** Of the message, or of the batch's first one. */
  readonly offset: number
  readonly messageCount: number
  /** 1 for the first attempt; for share groups the delivery count. */
  readonly attempt: number
  /** Null if it is a batch. */
  readonly message: Message<unknown, unknown> | null
  /** Null if it is one message. */
  readonly batch: Iterable<Message<unknown, unknown>> | null
  /**
   * A subscriber of `start` may set it: the handler is then called within it, for contexts that are no AsyncLocalStorage
   * of the subscriber's own. It has to call its argument once, at once, and return what that returns.
   */
  within?: <T>(call: () => T) => T
}

/**
 * `ottla:rebalance`: partitions are assigned, revoked or lost, callback included.
 * @since 0.1.0
 */
export interface RebalancePayload extends ChannelPayload<void> {
  readonly type: RebalanceEvent['type']
  readonly protocol: RebalanceEvent['protocol']
  readonly partitions: RebalanceEvent['partitions']
}

/**
 * `ottla:commit`: a commit of offsets, by the application or the client; the result has errors per partition.
 * @since 0.1.0
 */
export interface CommitPayload extends ChannelPayload<readonly TopicPartitionOffset[]> {
  readonly offsets: readonly TopicPartitionOffset[]
}

/**
 * `ottla:transaction`: a call of a transactional producer that the coordinator takes part in.
 * @since 0.1.0
 */
export interface TransactionPayload extends ChannelPayload<void> {
  readonly operation: 'initTransactions' | 'sendOffsetsToTransaction' | 'commitTransaction' | 'abortTransaction'
}

/**
 * `ottla:admin`: a call of an admin client.
 * @since 0.1.0
 */
export interface AdminPayload extends ChannelPayload {
  /** The method's name: `createTopics`. */
  readonly call: string
}

/**
 * The payload of each channel.
 * @since 0.1.0
 */
export interface ChannelPayloads {
  readonly 'ottla:connect': ConnectPayload
  readonly 'ottla:authenticate': AuthenticatePayload
  readonly 'ottla:request': RequestPayload
  readonly 'ottla:carry': CarryPayload
  readonly 'ottla:send': SendPayload
  readonly 'ottla:produce': ProducePayload
  readonly 'ottla:delivery': DeliveryPayload
  readonly 'ottla:fetch': FetchPayload
  readonly 'ottla:process': ProcessPayload
  readonly 'ottla:rebalance': RebalancePayload
  readonly 'ottla:commit': CommitPayload
  readonly 'ottla:transaction': TransactionPayload
  readonly 'ottla:admin': AdminPayload
}
