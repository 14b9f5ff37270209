/** Whatever happens to the brokers, by chance: what replicated logs promise. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { seededRandom } from '../../src/base/random.ts'
import { Scene } from './scene.ts'

const STEPS = 150

interface Outcome {
  /** The first offsets of batches that were acknowledged with acks=all. */
  readonly acknowledged: readonly { readonly offset: number; readonly sequence: number }[]
  readonly scene: Scene
  readonly topic: string
}

/** Writes, crashes, lags and elects by chance, then lets everything heal. */
async function history(scene: Scene, seed: number): Promise<Outcome> {
  const random = seededRandom(seed)
  const dice = (sides: number): number => (random.bytes(1)[0] ?? 0) % sides
  const topic = scene.topic('t', { 'min.insync.replicas': '2' })
  const acknowledged: { offset: number; sequence: number }[] = []
  const pending: Promise<void>[] = []
  const down = new Set<number>()
  for (let sequence = 1; sequence <= STEPS; sequence++) {
    const id = 1 + dice(3)
    switch (dice(18)) {
      case 0:
        if (down.size === 0) {
          down.add(id)
          await scene.cluster.brokerDown(id, { detectionDelayMs: dice(2) * 50 })
        }
        break
      case 1:
      case 8:
        for (const each of down) await scene.cluster.brokerUp(each)
        down.clear()
        break
      case 2:
        scene.cluster.setMetadataLag(id, dice(2) * 80)
        break
      case 3:
        scene.cluster.setReplicationLag(id, dice(3) * 20 || null)
        break
      case 4:
        scene.cluster.fenceBroker(id)
        break
      case 5:
      case 6:
      case 7:
        for (const each of [1, 2, 3]) if (!down.has(each)) scene.cluster.unfenceBroker(each)
        break
      default: {
        // Zombies, too.
        const leaders = scene.cluster.replicas(topic, 0).filter(({ isLeader }) => isLeader)
        const writer = leaders[dice(leaders.length || 1)]?.broker
        if (writer === undefined) break
        const acks = dice(2) === 0 ? 1 : -1
        // The number of the step is the number of records, by which a batch is known again.
        const answer = scene.put(writer, topic, { acks, count: sequence, timeoutMs: 400 }).then(
          ({ errorCode, baseOffset }) => {
            if (acks === -1 && errorCode === ErrorCode.ERR_NO_ERROR) acknowledged.push({ offset: baseOffset, sequence })
          },
          () => undefined,
        )
        pending.push(scene.until(answer, 5, dice(4) * 10 + 1))
      }
    }
    await scene.until(new Promise<void>(resolve => setImmediate(resolve)), 1, 1)
    scene.clock.advance(dice(30))
  }
  for (const id of [1, 2, 3]) {
    if (down.has(id)) await scene.cluster.brokerUp(id)
    scene.cluster.unfenceBroker(id)
    scene.cluster.setMetadataLag(id, 0)
    scene.cluster.setReplicationLag(id, null)
  }
  await scene.until(Promise.all(pending), 10)
  scene.clock.advance(1000)
  return { acknowledged, scene, topic }
}

for (let seed = 1; seed <= 20; seed++) {
  test(`with acks=all and two replicas in sync nothing acknowledged is lost, and all replicas agree (seed ${seed})`, async () => {
    await using scene = await Scene.start({ seed })
    const { acknowledged, topic } = await history(scene, seed)
    const states = scene.cluster.replicas(topic, 0)
    const [first = assert.fail('there is no replica')] = states
    for (const each of states) {
      assert.deepEqual([each.endOffset, each.highWatermark], [first.endOffset, first.endOffset], scene.ends(topic))
      assert.ok(each.inSync, scene.ends(topic))
    }
    assert.equal(states.filter(({ isLeader }) => isLeader).length, 1)
    const fetched = await Promise.all(
      [1, 2, 3].map(
        async id => (await scene.fetch(id, topic, 0, { partitionMaxBytes: 1e8 }, { maxBytes: 1e8 })).records,
      ),
    )
    assert.deepEqual(fetched[1], fetched[0])
    assert.deepEqual(fetched[2], fetched[0])
    const messages = scene.cluster.messages(topic)
    assert.ok(acknowledged.length > 5)
    for (const { offset, sequence } of acknowledged) {
      const values = messages.slice(offset, offset + sequence).map(({ value }) => String(value))
      assert.deepEqual([values[0], values.at(-1)], ['value-0', `value-${sequence - 1}`])
      assert.equal(messages[offset]?.offset, offset)
      assert.notEqual(String(messages[offset + sequence]?.value ?? 'value-0'), `value-${sequence}`)
    }
  })
}
