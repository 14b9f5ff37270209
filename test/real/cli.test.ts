import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, type AclBinding } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { finished } from '../embedded/cli-terminal.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'

let kafka: SharedKafka

before(async () => {
  kafka = await sharedKafka('secured')
})
after(() => kafka.close())

test('the demo holds on a real cluster with SASL and ACLs', async () => {
  const topic = fresh('demo')
  const { plainBootstrapServers, bootstrapServers } = kafka
  const admin = new AdminClient({ 'bootstrap.servers': plainBootstrapServers })
  const rules = [
    ...allow('alice', 'topic', topic, ['write', 'create', 'describe']),
    ...allow('bob', 'topic', topic, ['read', 'describe']),
    ...allow('bob', 'group', 'bob-group', ['read']),
  ]
  for (const { error } of await admin.createAcls(rules)) assert.equal(error, undefined)
  await admin.close()
  const { status, out, err } = await finished([
    'demo',
    ...['-b', bootstrapServers, '--topic', topic, '--forbidden', fresh('private')],
  ])
  assert.equal(status, 0, out + err)
  assert.match(out, /All checks passed/)
})

test('lines go through a real broker and come back', async () => {
  const topic = fresh('cli')
  const on = ['-b', kafka.plainBootstrapServers, '-t', topic]
  const produced = await finished(['produce', ...on, '-K', ':', '-z', 'lz4', '-H', 'h=1'], 'a:1\nb:2\nc:3\n')
  assert.deepEqual(produced, { status: 0, out: '', err: '' })
  const { status, out } = await finished(['consume', ...on, '-e', '-q', '-f', '%k=%s %h\\n'])
  assert.equal(status, 0)
  assert.deepEqual(out.split('\n').toSorted(), ['', 'a=1 h=1', 'b=2 h=1', 'c=3 h=1'])
})

function allow(
  user: string,
  resourceType: AclBinding['resourceType'],
  name: string,
  operations: readonly AclBinding['operation'][],
): AclBinding[] {
  const rule = { resourceType, name, resourcePatternType: 'literal', host: '*', permissionType: 'allow' } as const
  return operations.map(operation => ({ ...rule, principal: `User:${user}`, operation }))
}
