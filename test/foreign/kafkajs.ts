/** KafkaJS, in this process. */
import kafkajs, { type Admin, type Consumer, type KafkaMessage, type Producer } from 'kafkajs'
import type { Order, Peer } from './peer.ts'

// Node does not find all names of this CommonJS package.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
const { CompressionTypes, ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs

// As many rounds of empty fetches, from three brokers, mean that there is nothing left.
const IDLE_FETCHES = 12

interface Member {
  readonly consumer: Consumer
  readonly values: string[]
  assigned: number[]
}

/** The orders' arguments, of which each order has its own. */
interface Arguments extends Order {
  readonly topic: string
  readonly values: string[]
  readonly codec: string
  readonly idempotence: boolean
  readonly isolation: string
  readonly member: string
  readonly group: string
  readonly id: string
  readonly transactions: [string[], boolean][]
  readonly from: string
  readonly to: string
  readonly count: number
  readonly commits: boolean[]
  readonly partitions: number
  readonly partition: number
  readonly offset: number
  readonly configs: Record<string, string>
  readonly name: string
  readonly value: string
}

export class KafkaJsPeer implements Peer {
  readonly #kafka: kafkajs.Kafka
  readonly #admin: Admin
  readonly #members = new Map<string, Member>()
  #names = 0

  private constructor(bootstrapServers: string) {
    this.#kafka = new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING })
    this.#admin = this.#kafka.admin()
  }

  static async start(bootstrapServers: string): Promise<KafkaJsPeer> {
    const peer = new KafkaJsPeer(bootstrapServers)
    await peer.#admin.connect()
    return peer
  }

  async ask(order: Order): Promise<unknown> {
    try {
      return await this.#carryOut(order as Arguments) // the scenarios give what each order takes
    } catch (error) {
      // What was wrong with each of several things is not in the message.
      const parts = (error as { errors?: Error[] }).errors ?? []
      throw new Error([error, ...parts].map(String).join('; '), { cause: error })
    }
  }

  close(): Promise<void> {
    return this.#admin.disconnect()
  }

  #carryOut(order: Arguments): Promise<unknown> {
    switch (order.do) {
      case 'produce':
        return this.#produce(order)
      case 'consume':
        return this.#consume(order)
      case 'join':
        return this.#join(order)
      case 'assignment':
        return Promise.resolve(this.#member(order).assigned)
      case 'received':
        return Promise.resolve(this.#member(order).values)
      case 'leave':
        return this.#leave(order)
      case 'transaction':
        return this.#transaction(order)
      case 'transform':
        return this.#transform(order)
      case 'zombie':
        return this.#zombie(order)
      default:
        return administer(this.#admin, order)
    }
  }

  async #produce({ topic, values, codec, idempotence }: Arguments): Promise<void> {
    const producer = this.#kafka.producer({ ...partitioner, idempotent: idempotence })
    await producer.connect()
    const compression = codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
    await producer.send({ topic, compression, messages: values.map(messageOf) })
    await producer.disconnect()
  }

  async #consume({ topic, isolation }: Arguments): Promise<string[]> {
    const read: string[] = []
    let idle = 0
    const consumer = this.#kafka.consumer({
      groupId: `reader-${++this.#names}`,
      readUncommitted: isolation === 'read_uncommitted',
      maxWaitTimeInMs: 50,
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.FETCH, () => {
        if (++idle === IDLE_FETCHES) resolve()
      })
      const eachMessage = ({ message }: { message: KafkaMessage }): Promise<void> => {
        idle = 0
        read.push(
          `${String(message.key ?? '')} ${String(message.value)} ${String(message.headers?.['h'] ?? '')}`.trim(),
        )
        return Promise.resolve()
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return read.sort()
  }

  #member({ member: name }: Arguments): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new Error(`no member ${name}`)
    return member
  }

  async #join({ member: name, group, topic }: Arguments): Promise<void> {
    const consumer = this.#kafka.consumer({ groupId: group, heartbeatInterval: 100, maxWaitTimeInMs: 50 })
    const member: Member = { consumer, values: [], assigned: [] }
    this.#members.set(name, member)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.assigned = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b)
    })
    consumer.on(consumer.events.REBALANCING, () => {
      member.assigned = []
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: ({ message }) => {
        member.values.push(String(message.value))
        return Promise.resolve()
      },
    })
  }

  async #leave(order: Arguments): Promise<void> {
    const { consumer } = this.#member(order)
    this.#members.delete(order.member)
    await consumer.disconnect()
  }

  async #transactional({ id }: Arguments): Promise<Producer> {
    const producer = this.#kafka.producer({
      ...partitioner,
      transactionalId: id,
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    return producer
  }

  async #transaction(order: Arguments): Promise<void> {
    const producer = await this.#transactional(order)
    for (const [values, isCommit] of order.transactions) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: order.topic, messages: values.map(messageOf) })
      await (isCommit ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
  }

  async #transform(order: Arguments): Promise<void> {
    const producer = await this.#transactional(order)
    for (const isCommit of order.commits) {
      const read = await this.#next(order)
      const transaction = await producer.transaction()
      const messages = read.map(({ value }) => ({ value: String(value).toUpperCase() }))
      await transaction.send({ topic: order.to, messages })
      const offset = String(Number(read.at(-1)?.offset) + 1)
      const topics = [{ topic: order.from, partitions: [{ partition: 0, offset }] }]
      await transaction.sendOffsets({ consumerGroupId: order.group, topics })
      await (isCommit ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
  }

  /** What follows the committed offset of the group. */
  async #next({ group, from, count }: Arguments): Promise<KafkaMessage[]> {
    const read: KafkaMessage[] = []
    const consumer = this.#kafka.consumer({ groupId: group, readUncommitted: false, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topic: from, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachMessage = ({ message }: { message: KafkaMessage }): Promise<void> => {
        if (read.push(message) === count) resolve()
        return Promise.resolve()
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return read.slice(0, count)
  }

  async #zombie(order: Arguments): Promise<string> {
    const producers = [await this.#transactional(order), await this.#transactional(order)] as const
    const first = await producers[0].transaction()
    await first.send({ topic: order.topic, messages: [messageOf('from the dead')] })
    const second = await producers[1].transaction()
    await second.send({ topic: order.topic, messages: [messageOf('alive')] })
    await second.commit()
    const told = await first.commit().then(
      () => 'nothing',
      (error: unknown) => (error as { type?: string }).type ?? String(error),
    )
    for (const producer of producers) await producer.disconnect()
    return told
  }
}

const partitioner = { createPartitioner: Partitioners.DefaultPartitioner }

function messageOf(value: string): { key: string; value: string; headers: { h: string } } {
  return { key: `k${value}`, value, headers: { h: `x${value}` } }
}

async function administer(admin: Admin, order: Arguments): Promise<unknown> {
  const { topic, group: groupId, partition } = order
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const acl = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.ALLOW,
  }
  const anyAcl = { ...acl, operation: AclOperationTypes.ANY }
  switch (order.do) {
    case 'createTopic': {
      const configEntries = Object.entries(order.configs).map(([name, value]) => ({ name, value }))
      const wanted = { topic, numPartitions: order.partitions, configEntries }
      // Told by false, not by an error, that it is there.
      if (!(await admin.createTopics({ topics: [wanted] }))) throw new Error('the topic exists')
      return
    }
    case 'topics':
      return admin.listTopics()
    case 'partitions':
      return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length
    case 'addPartitions':
      return admin.createPartitions({ topicPartitions: [{ topic, count: order.count }] })
    case 'config': {
      const asked = [{ ...resource, configNames: [order.name] }]
      const { resources } = await admin.describeConfigs({ resources: asked, includeSynonyms: false })
      return resources[0]?.configEntries[0]?.configValue
    }
    case 'setConfig': {
      const configEntries = [{ name: order.name, value: order.value }]
      return admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
    }
    case 'deleteRecords':
      return admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(order.offset) }] })
    case 'listOffsets': {
      const found = (await admin.fetchTopicOffsets(topic)).find(one => one.partition === partition)
      return [Number(found?.low), Number(found?.high)]
    }
    case 'groups':
      return (await admin.listGroups()).groups.map(one => one.groupId)
    case 'group': {
      const [described] = (await admin.describeGroups([groupId])).groups
      return { state: described?.state.toLowerCase(), members: described?.members.length }
    }
    case 'offsets': {
      const all = await admin.fetchOffsets({ groupId })
      const each = all.flatMap(one => one.partitions.map(at => [`${one.topic} ${at.partition}`, Number(at.offset)]))
      return Object.fromEntries(each) as Record<string, number>
    }
    case 'setOffsets':
      return admin.setOffsets({ groupId, topic, partitions: [{ partition, offset: String(order.offset) }] })
    case 'deleteGroup':
      return admin.deleteGroups([groupId])
    case 'createAcl': {
      const entry = { ...acl, principal: 'User:alice', host: '*', operation: AclOperationTypes.READ }
      return admin.createAcls({ acl: [entry] })
    }
    case 'acls':
      return (await admin.describeAcls(anyAcl)).resources.flatMap(one => one.acls).length
    case 'deleteAcls':
      return (await admin.deleteAcls({ filters: [anyAcl] })).filterResponses.flatMap(one => one.matchingAcls).length
    case 'deleteTopic':
      return admin.deleteTopics({ topics: [topic] })
    case 'cluster':
      return (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
    default:
      throw new Error(order.do)
  }
}
