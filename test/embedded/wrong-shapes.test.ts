/** What programs written for another client, or without types, pass: refused at once, saying what takes its place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, ShareConsumer, type KafkaError } from 'ottla'

const quiet = (): void => undefined
const nowhere = { 'bootstrap.servers': '127.0.0.1:1' }
const asMember = { ...nowhere, 'group.id': 'g' }
// As a program without types passes it.
const anything = (value: unknown): never => value as never
type Untyped = new (config: unknown, options?: unknown) => AsyncDisposable
const clients = [Producer, Consumer, ShareConsumer, AdminClient] as unknown as readonly Untyped[]

const says =
  (text: RegExp) =>
  (error: KafkaError): boolean => {
    assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
    assert.match(error.message, text)
    return true
  }

for (const Client of clients) {
  test(`a ${Client.name} without a configuration, or with that of another client, says what it needs`, () => {
    for (const [config, text] of [
      [undefined, /configuration is missing: .*'bootstrap\.servers'/],
      [null, /must be an object, not null/],
      ['localhost:9092', /must be an object, not a string/],
      [['localhost:9092'], /must be an object, not an array/],
      [{ brokers: ['localhost:9092'], 'group.id': 'g' }, /'brokers': .*'bootstrap\.servers'/],
      [{ ...asMember, clientId: 'x' }, /'clientId': .*'client\.id'/],
      [{ ...asMember, groupId: 'x' }, /'groupId': .*'group\.id'/],
      [{ ...asMember, ssl: true }, /'ssl': .*'security\.protocol'/],
      [{ ...asMember, sasl: { mechanism: 'plain' } }, /'sasl': .*'sasl\.mechanism'/],
    ] as const) {
      assert.throws(() => new Client(config), says(text))
    }
  })
}

const optionsOf: Record<string, readonly string[]> = {
  Producer: ['key', 'value', 'topics', 'partitioner', 'interceptors'],
  Consumer: ['key', 'value', 'topics', 'assignors', 'interceptors'],
  ShareConsumer: ['key', 'value', 'topics'],
  AdminClient: [],
}

for (const Client of clients) {
  test(`a ${Client.name} refuses options that it does not have, saying what is meant`, async () => {
    for (const [options, text] of [
      [null, /second argument, must be an object/],
      ['key', /second argument, must be an object/],
      [[], /second argument, must be an object/],
      [{ serializers: {} }, /no option 'serializers': the options 'key' and 'value'/],
      [{ keyDeserializer: quiet }, /no option 'keyDeserializer': it is 'key' here/],
      [{ logCreator: quiet }, /no option 'logCreator': it is 'logger' here/],
      [{ loger: quiet }, /no option 'loger'; did you mean 'logger'\?/],
      [{ LOGGER: quiet }, /no option 'LOGGER'; did you mean 'logger'\?/],
      [{ 'client.id': 'x' }, /'client\.id': it is a property, and belongs in the first argument/],
      [{ brokers: ['localhost:9092'] }, /'brokers': .*'bootstrap\.servers'/],
      [{ whatIsThis: 1 }, /no option 'whatIsThis'; it takes logger, /],
    ] as const) {
      assert.throws(() => new Client(asMember, options), says(text), String(text))
    }
    for (const name of new Set(Object.values(optionsOf).flat())) {
      if (optionsOf[Client.name]?.includes(name) === true) continue
      assert.throws(() => new Client(asMember, { [name]: [] }), says(/: it is an option of /))
    }
    await using client = new Client(asMember, { logger: quiet, whatIsThis: undefined })
    assert.ok(client)
  })
}

test('calls of another client are refused with what takes their place', async () => {
  await using producer = new Producer(nowhere, { logger: quiet })
  await using consumer = new Consumer(asMember, { logger: quiet })
  await assert.rejects(producer.send(anything({ topic: 't', messages: [] })), says(/sendBatch takes a list/))
  await assert.rejects(producer.send(anything([])), says(/not an array; sendBatch takes a list/))
  await assert.rejects(producer.sendBatch(anything({ topicMessages: [] })), says(/takes a list of messages/))
  assert.throws(() => consumer.subscribe(anything({ topic: 't', fromBeginning: true })), says(/auto\.offset\.reset/))
  await assert.rejects(async () => consumer.run(anything({ eachMessage: quiet })), says(/no eachMessage: handler/))
})

test('offsets that are none are refused with what is expected, everywhere', async () => {
  await using producer = new Producer({ ...nowhere, 'transactional.id': 'x' }, { logger: quiet })
  await using consumer = new Consumer(asMember, { logger: quiet })
  const group = { groupId: 'g', generationId: -1, memberId: '' }
  for (const [offset, not] of [
    ['5', 'a string; Number\\(offset\\)'],
    [5n, 'a bigint; Number\\(offset\\)'],
    [-5, '-5'],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [undefined, 'undefined'],
    [null, 'null'],
  ] as const) {
    const list = anything([{ topic: 't', partition: 0, offset }])
    const text = new RegExp(`whole number from 0, OFFSET_BEGINNING, .* not ${not}`)
    for (const call of [
      () => consumer.assign(list),
      () => consumer.incrementalAssign(list),
      () => consumer.commit(list),
      () => consumer.seek(list),
      async () => consumer.storeOffsets(list),
      () => producer.sendOffsetsToTransaction(list, group),
    ]) {
      await assert.rejects(call, says(text))
    }
  }
})
