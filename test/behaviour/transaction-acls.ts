/** The ACLs that transactions need, on three secured brokers: real or embedded. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, Producer, type AclBinding, type AclOperation, type AclResourceType, type KafkaError } from 'ottla'
import { as, fresh, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

/** Registers the tests; `start` starts the brokers. */
export function transactionAclScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'), { logger: quiet })
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  async function allow(resourceType: AclResourceType, name: string, operation: AclOperation): Promise<void> {
    const acl: AclBinding = {
      resourceType,
      name,
      resourcePatternType: 'literal',
      principal: 'User:alice',
      host: '*',
      permissionType: 'allow',
      operation,
    }
    const [created] = await admin.createAcls([acl])
    assert.equal(created?.error, undefined)
  }

  async function newTopic(): Promise<string> {
    const topic = fresh('txn-acls')
    await createTopic(as(world, 'admin'), topic, { numPartitions: 1, replicationFactor: 3 })
    return topic
  }

  async function kind(call: () => unknown): Promise<string> {
    try {
      await call()
    } catch (error) {
      const { name, isFatal, txnRequiresAbort } = error as KafkaError // the client throws nothing else
      return `${name}${isFatal ? ' fatal' : ''}${txnRequiresAbort ? ' abort' : ''}`
    }
    return 'done'
  }

  /** Waits, because brokers learn of new ACLs a moment later. */
  async function eventually(call: () => Promise<string>, expected: string): Promise<void> {
    const deadline = Date.now() + 10_000
    let last = await call()
    while (last !== expected && Date.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 50))
      last = await call()
    }
    assert.equal(last, expected)
  }

  test('an id that alice may not use is a fatal error; allowed, it is not', async () => {
    const id = fresh('txn-acls')
    const attempt = async (): Promise<string> => {
      await using producer = new Producer({ ...as(world, 'alice'), 'transactional.id': id }, { logger: quiet })
      return await kind(() => producer.initTransactions(10_000))
    }
    assert.equal(await attempt(), 'ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal')
    await allow('transactional-id', id, 'write')
    await eventually(attempt, 'done')
  })

  test('a topic, and a group, that alice may not use make the transaction fail, and the next is committed', async () => {
    const id = fresh('txn-acls')
    const groupId = fresh('txn-acls')
    const [allowed, refused] = [await newTopic(), await newTopic()]
    await allow('transactional-id', id, 'write')
    await allow('topic', allowed, 'write')
    const config = { ...as(world, 'alice'), 'transactional.id': id, 'linger.ms': 0 }
    // A refusal is fatal: each attempt has its own producer.
    let producer = new Producer(config, { logger: quiet })
    const attempt = async (): Promise<string> => {
      await producer.close()
      producer = new Producer(config, { logger: quiet })
      return kind(() => producer.initTransactions(10_000))
    }
    await eventually(attempt, 'done')
    const sending = async (topic: string): Promise<string> => {
      producer.beginTransaction()
      const result = await kind(() => producer.send({ topic, partition: 0, value: 'x' }))
      if (result !== 'done') await producer.abortTransaction()
      return result
    }
    await eventually(() => sending(allowed), 'done')
    assert.equal(
      await kind(() => producer.send({ topic: refused, partition: 0, value: 'x' })),
      'ERR_TOPIC_AUTHORIZATION_FAILED',
    )
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR_TOPIC_AUTHORIZATION_FAILED abort')
    await producer.abortTransaction()
    producer.beginTransaction()
    const group = { groupId, generationId: -1, memberId: '' }
    const offsets = producer.sendOffsetsToTransaction([{ topic: allowed, partition: 0, offset: 1 }], group)
    assert.equal(await kind(() => offsets), 'ERR_GROUP_AUTHORIZATION_FAILED abort')
    await producer.abortTransaction()
    assert.equal(await sending(allowed), 'done')
    await producer.commitTransaction()
    await producer.close()
  })
}
