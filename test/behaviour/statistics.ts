/** `statistics.interval.ms`: librdkafka's layout, with correct figures. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type Statistics, type StatsEvent } from 'ottla'
import { as, fresh, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const INTERVAL_MS = 50
const LIMIT_MS = 20_000

// The fields of librdkafka 2.16.1, level by level.
const layout = {
  top:
    'name client_id type ts time age replyq msg_cnt msg_size msg_max msg_size_max simple_cnt metadata_cache_cnt ' +
    'brokers topics tx tx_bytes rx rx_bytes txmsgs txmsg_bytes rxmsgs rxmsg_bytes',
  broker:
    'name nodeid nodename source state stateage outbuf_cnt outbuf_msg_cnt waitresp_cnt waitresp_msg_cnt tx txbytes ' +
    'txerrs txretries txidle req_timeouts rx rxbytes rxerrs rxcorriderrs rxpartial rxidle zbuf_grow buf_grow wakeups ' +
    'connects disconnects int_latency outbuf_latency rtt throttle req toppars',
  window: 'min max avg sum stddev p50 p75 p90 p95 p99 p99_99 outofrange hdrsize cnt',
  topic: 'topic age metadata_age batchsize batchcnt partitions',
  partition:
    'partition broker leader desired unknown msgq_cnt msgq_bytes xmit_msgq_cnt xmit_msgq_bytes fetchq_cnt fetchq_size ' +
    'fetch_state query_offset next_offset app_offset stored_offset stored_leader_epoch commited_offset ' +
    'committed_offset committed_leader_epoch eof_offset lo_offset hi_offset ls_offset consumer_lag ' +
    'consumer_lag_stored leader_epoch txmsgs txbytes rxmsgs rxbytes msgs rx_ver_drops msgs_inflight next_ack_seq ' +
    'next_err_seq acked_msgid',
  cgrp: 'state stateage join_state rebalance_age rebalance_cnt rebalance_reason assignment_size',
  eos: 'idemp_state idemp_stateage txn_state txn_stateage txn_may_enq producer_id producer_epoch epoch_cnt',
}

function hasLayout(value: object | undefined, level: keyof typeof layout, ...more: string[]): void {
  assert.ok(value !== undefined, `there is no ${level}`)
  assert.deepEqual(Object.keys(value).sort(), [...layout[level].split(' '), ...more].sort(), level)
}

interface Client {
  on(type: 'stats', listener: (event: StatsEvent) => void): unknown
}

/** Waits for the first statistics of a client that satisfy the check. */
async function statistics(client: Client, isAsExpected: (stats: Statistics) => boolean): Promise<Statistics> {
  let last: Statistics | null = null
  const found = await new Promise<StatsEvent>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`last statistics: ${JSON.stringify(last)}`)), LIMIT_MS)
    client.on('stats', event => {
      last = event.statistics
      if (!isAsExpected(last)) return
      clearTimeout(limit)
      resolve(event)
    })
  })
  assert.deepEqual(JSON.parse(found.json), found.statistics, 'the object and the JSON say the same')
  return found.statistics
}

/** Registers the tests; `start` starts their cluster. */
export function statisticsScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'))
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  async function newTopic(): Promise<string> {
    const topic = fresh('statistics')
    await createTopic(as(world, 'admin'), topic, { numPartitions: 1 })
    return topic
  }

  test('a producer’s statistics have what it sent, to which brokers, how long it took, and its identity', async () => {
    const topic = await newTopic()
    const config = { 'statistics.interval.ms': INTERVAL_MS, 'enable.idempotence': true, 'linger.ms': 20 }
    const producer = new Producer({ ...as(world, 'admin'), ...config }, { logger: quiet })
    let batches = 0
    producer.on('stats', ({ json }) => (batches += (JSON.parse(json) as Statistics).topics[topic]?.batchcnt.cnt ?? 0))
    const done = statistics(producer, stats => stats.txmsgs === 100 && stats.msg_cnt === 0)
    for (let i = 0; i < 100; i++) producer.produce({ topic, value: `message ${i}` }, quiet)
    assert.equal(await producer.flush(LIMIT_MS), 0)
    const stats = await done
    await producer.close()

    hasLayout(stats, 'top', 'eos')
    assert.match(stats.name, /#producer-\d+$/)
    assert.equal(stats.type, 'producer')
    assert.ok(Math.abs(stats.time * 1000 - Date.now()) < 60_000, 'seconds since the epoch')
    assert.ok(stats.tx >= stats.rx && stats.rx > 0 && stats.tx_bytes > 0 && stats.rx_bytes > 0)
    hasLayout(stats.topics[topic], 'topic')
    const partition = stats.topics[topic]?.partitions['0']
    hasLayout(partition, 'partition')
    assert.equal(partition?.txmsgs, 100)
    assert.equal(partition.msgs, 100)
    assert.equal(partition.acked_msgid, 100)
    assert.equal(partition.next_ack_seq, 100)
    assert.equal(partition.txbytes, stats.txmsg_bytes)
    assert.equal(partition.consumer_lag, -1)
    assert.ok(batches > 0, 'batches are counted in windows')

    const broker = Object.values(stats.brokers).find(({ nodeid }) => nodeid === partition.leader)
    hasLayout(broker, 'broker')
    hasLayout(broker?.rtt, 'window')
    assert.equal(broker?.state, 'UP')
    assert.equal(broker.source, 'learned')
    assert.ok((broker.req['Produce'] ?? 0) > 0)
    assert.deepEqual(broker.toppars, { [`${topic}-0`]: { topic, partition: 0 } })
    hasLayout(stats.eos, 'eos')
    assert.equal(stats.eos?.idemp_state, 'Assigned')
    assert.ok(stats.eos.producer_id >= 0)
    assert.equal(stats.eos.epoch_cnt, 1)
  })

  test('an admin client’s statistics have its brokers and requests', async () => {
    const client = new AdminClient({ ...as(world, 'admin'), 'statistics.interval.ms': INTERVAL_MS })
    try {
      const done = statistics(client, ({ tx, rx }) => tx > 0 && rx > 0)
      await client.describeCluster()
      const stats = await done
      hasLayout(stats, 'top')
      assert.deepEqual([stats.msg_cnt, stats.topics], [0, {}])
    } finally {
      await client.close()
    }
  })

  test('a consumer’s statistics have its lag to the committed and stored offsets, and the state of its group', async () => {
    const topic = await newTopic()
    const producer = new Producer(as(world, 'admin'), { logger: quiet })
    await producer.sendBatch(Array.from({ length: 10 }, (_, i) => ({ topic, value: String(i) })))
    await producer.close()
    const config = {
      'statistics.interval.ms': INTERVAL_MS,
      'group.id': fresh('statistics'),
      'auto.offset.reset': 'earliest' as const,
      'enable.auto.commit': false,
    }
    const consumer = new Consumer({ ...as(world, 'admin'), ...config }, { logger: quiet })
    consumer.subscribe([topic])
    const messages = []
    while (messages.length < 6) messages.push(await consumer.readMessage(LIMIT_MS))
    const committed = messages[3]
    assert.ok(committed !== undefined)
    await consumer.commitMessage(committed)
    const stats = await statistics(consumer, s => s.topics[topic]?.partitions['0']?.committed_offset === 4)
    const polled = []
    for (let event = await consumer.poll(LIMIT_MS); polled.length < 1; event = await consumer.poll(LIMIT_MS)) {
      if (event?.type === 'stats') polled.push(JSON.parse(event.json))
    }
    await consumer.close()

    hasLayout(stats, 'top', 'cgrp')
    assert.equal(stats.type, 'consumer')
    assert.equal(stats.rxmsgs, 10)
    const partition = stats.topics[topic]?.partitions['0']
    hasLayout(partition, 'partition')
    const { hi_offset, lo_offset, stored_offset, app_offset, consumer_lag, consumer_lag_stored } = partition ?? {}
    assert.deepEqual(
      { hi_offset, lo_offset, stored_offset, app_offset, consumer_lag, consumer_lag_stored },
      { hi_offset: 10, lo_offset: 0, stored_offset: 6, app_offset: 6, consumer_lag: 6, consumer_lag_stored: 4 },
    )
    assert.equal(partition?.fetch_state, 'active')
    assert.equal(partition.desired, true)
    assert.equal(partition.rxmsgs, 10)
    hasLayout(stats.cgrp, 'cgrp')
    const { state, join_state, rebalance_cnt, assignment_size } = stats.cgrp ?? {}
    assert.deepEqual(
      { state, join_state, rebalance_cnt, assignment_size },
      { state: 'up', join_state: 'steady', rebalance_cnt: 1, assignment_size: 1 },
    )
    const broker = Object.values(stats.brokers).find(({ nodeid }) => nodeid === partition.leader)
    assert.ok((broker?.req['Fetch'] ?? 0) > 0)
  })
}
