/** `new Kafka(config)`: makes the clients of one cluster. */
import { createAdmin } from './admin/admin.ts'
import { createConsumer } from './consumer/consumer.ts'
import { logLevel } from './enums.ts'
import { consoleLogger } from './observe/console.ts'
import { createLogger } from './observe/logger.ts'
import { createProducer } from './producer/producer.ts'
import { CommittedOffsets } from './translate/committed-offsets.ts'
import type { Shared } from './translate/shared.ts'
import type { Admin, AdminConfig } from './types/admin.ts'
import type { KafkaClient, KafkaConfig } from './types/client.ts'
import type { Consumer, ConsumerConfig } from './types/consumer.ts'
import type { Logger } from './types/logging.ts'
import type { Producer, ProducerConfig } from './types/producer.ts'

/**
 * kafkajs's client, on `ottla`. What cannot work is reported by `connect`.
 * @since 0.1.0
 */
export class Kafka implements KafkaClient {
  readonly #shared: Shared

  constructor(config: KafkaConfig) {
    const { logLevel: level = logLevel.INFO, logCreator = consoleLogger } = config
    this.#shared = { config, logger: createLogger(level, logCreator), committed: new CommittedOffsets() }
  }

  producer(config?: ProducerConfig): Producer {
    return createProducer(this.#shared, config)
  }

  consumer(config: ConsumerConfig): Consumer {
    return createConsumer(this.#shared, config)
  }

  admin(config?: AdminConfig): Admin {
    return createAdmin(this.#shared, config)
  }

  logger(): Logger {
    return this.#shared.logger
  }
}
