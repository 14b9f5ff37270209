import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Brokers, type BrokerInfo } from '../../src/base/brokers.ts'

function info(id: number, up = true): BrokerInfo {
  return { id, endpoints: [], rack: null, up }
}

test('the first broker that is up is the controller', () => {
  const brokers = new Brokers([info(1, false), info(2), info(3)])
  assert.equal(brokers.controllerId(), 2)
  assert.deepEqual(
    brokers.live().map(({ id }) => id),
    [2, 3],
  )
  assert.equal(new Brokers([info(1, false)]).controllerId(), -1)
})

test('a removed broker is unknown and not up', () => {
  const second = info(2)
  const brokers = new Brokers([info(1), second])
  brokers.remove(second)
  brokers.remove(second)
  assert.equal(brokers.get(2), undefined)
  assert.equal(brokers.isUp(2), false)
  assert.equal(brokers.isUp(1), true)
})
