/** `new Kafka(config)`: makes the clients of one cluster. */
import type { Admin, AdminConstructorConfig } from '../types/kafkajs/admin.ts'
import type { CommonConstructorConfig } from '../types/kafkajs/client.ts'
import type { Consumer, ConsumerConstructorConfig } from '../types/kafkajs/consumer.ts'
import type { Producer, ProducerConstructorConfig } from '../types/kafkajs/producer.ts'
import { AdminClient } from './admin.ts'
import { checkOutside, type Kind } from './block.ts'
import { ConsumerClient } from './consumer/consumer.ts'
import { ProducerClient } from './producer.ts'
import { merged, type Given } from './settings.ts'

/**
 * Confluent's client, on `ottla`. What is configured wrong is reported by `connect`, except for options of kafkajs that
 * stand beside the `kafkaJS` block.
 * @since 0.1.0
 */
export class Kafka {
  readonly #common: Given

  /** @throws KafkaJSError */
  constructor(config: CommonConstructorConfig = {}) {
    checkOutside('common', config)
    this.#common = config as Given
  }

  /** @throws KafkaJSError */
  producer(config: ProducerConstructorConfig = {}): Producer {
    return new ProducerClient(this.#merged('producer', config))
  }

  /** @throws KafkaJSError */
  consumer(config: ConsumerConstructorConfig = {}): Consumer {
    return new ConsumerClient(this.#merged('consumer', config))
  }

  /** @throws KafkaJSError */
  admin(config: AdminConstructorConfig = {}): Admin {
    return new AdminClient(this.#merged('admin', config), null)
  }

  #merged(kind: Kind, config: object): Given {
    checkOutside(kind, config)
    return merged(this.#common, config as Given)
  }
}
