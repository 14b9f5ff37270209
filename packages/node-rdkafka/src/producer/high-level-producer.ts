import type { DeliveryReport } from 'ottla'
import { call } from '../translate/calling.ts'
import { toLibrdKafkaError } from '../translate/errors.ts'
import { required } from '../translate/configuration.ts'
import type { ProducerGlobalConfig, ProducerTopicConfig } from '../types/config.ts'
import type { MessageHeader } from '../types/messages.ts'
import type { HighLevelProducerInstance } from '../types/producer.ts'
import { ProducerClient } from './producer.ts'
import {
  ofAnyTopic,
  ofTopic,
  serialize,
  type AnySerializer,
  type AnyTopicSerializer,
  type SerializerFor,
} from './serializers.ts'

type Delivered = (error: unknown, offset?: number | null) => unknown

export class HighLevelProducerClient extends ProducerClient implements HighLevelProducerInstance {
  #keySerializer: SerializerFor | null = null
  #valueSerializer: SerializerFor | null = null
  #messages = 0

  constructor(conf: ProducerGlobalConfig, topicConf?: ProducerTopicConfig) {
    // Its reports are events, too, whatever the program asks for.
    super({ ...required(conf), dr_cb: conf.dr_cb === undefined || conf.dr_cb === false ? true : conf.dr_cb }, topicConf)
  }

  setKeySerializer(serializer: AnySerializer): void {
    this.#keySerializer = ofAnyTopic(serializer)
  }

  setValueSerializer(serializer: AnySerializer): void {
    this.#valueSerializer = ofAnyTopic(serializer)
  }

  setTopicKeySerializer(serializer: AnyTopicSerializer): void {
    this.#keySerializer = ofTopic(serializer)
  }

  setTopicValueSerializer(serializer: AnyTopicSerializer): void {
    this.#valueSerializer = ofTopic(serializer)
  }

  override produce(
    topic: string,
    partition: number | null | undefined,
    message: unknown,
    key?: unknown,
    timestamp?: number | null,
    headers?: unknown,
    callback?: unknown,
  ): boolean {
    // Headers may be left out.
    const done = (typeof headers === 'function' ? headers : callback) as Delivered
    const given = (typeof headers === 'function' ? undefined : headers) as readonly MessageHeader[] | undefined
    const id = this.#messages++
    const send = (value: unknown, bytes: unknown): void => {
      const opaque = { __message_id: id }
      this.enqueue(topic, partition, value, bytes, timestamp, opaque, given, report => this.#delivered(report, done))
    }
    try {
      const value = serialize(this.#valueSerializer?.(topic) ?? null, message)
      const bytes = serialize(this.#keySerializer?.(topic) ?? null, key)
      if (value instanceof Promise || bytes instanceof Promise) {
        Promise.all([value, bytes]).then(
          ([serializedValue, serializedKey]) => this.#attempt(() => send(serializedValue, serializedKey), done),
          (error: unknown) => call(() => done(error)),
        )
      } else this.#attempt(() => send(value, bytes), done)
    } catch (error) {
      setImmediate(() => call(() => done(error)))
    }
    return true
  }

  #attempt(send: () => void, done: Delivered): void {
    try {
      send()
    } catch (error) {
      call(() => done(error))
    }
  }

  #delivered(report: DeliveryReport, done: Delivered): void {
    this.deliver(report)
    const { error, offset } = report
    call(() => done(error === undefined ? null : toLibrdKafkaError(error), offset >= 0 ? offset : null))
  }
}
