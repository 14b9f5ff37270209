/** `ottla admin` where no real Kafka is needed: usage, errors, and what an embedded cluster can do. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { finished } from './cli-terminal.ts'

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 1 })
})
after(() => cluster.close())

test('the address may stand before the words or after them', async () => {
  const on = ['-b', cluster.bootstrapServers]
  const created = await finished(['admin', ...on, 'topics', 'create', 'before', '-p', '2'])
  assert.deepEqual(created, { status: 0, out: 'created before\n', err: '' })
  const { status, out } = await finished(['admin', 'topics', 'describe', 'before', ...on])
  assert.equal(status, 0)
  assert.match(out, /^topic before, id [\w-]{22}\npartition {2}leader {2}replicas/)
  const quiet = await finished(['admin', 'topics', 'create', 'quietly', '-q', ...on])
  assert.deepEqual(quiet, { status: 0, out: '', err: '' })
})

test('with --json the result of the call is one line, with its errors in it', async () => {
  const on = ['-b', cluster.bootstrapServers, '--json']
  await finished(['admin', 'topics', 'create', 'there', ...on])
  const { status, out, err } = await finished(['admin', 'topics', 'delete', 'there', 'missing', ...on])
  assert.equal(status, 1)
  assert.match(err, /^ottla admin: .*missing.*ERR_UNKNOWN_TOPIC_OR_PART/)
  const [gone, missing, ...rest] = JSON.parse(out) as { topic: string; error?: { name: string; message: string } }[]
  assert.deepEqual(gone, { topic: 'there' })
  assert.equal(missing?.error?.name, 'ERR_UNKNOWN_TOPIC_OR_PART')
  assert.match(missing.error.message, /missing/)
  assert.deepEqual(rest, [])
})

test('wrong usage is status 2 and says what to write', async () => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['admin'], /Usage: ottla admin/],
    [['admin', 'topics'], /Usage: ottla admin topics/],
    [['admin', 'topics', 'lst'], /Did you mean list\?/],
    [['admin', 'topics', 'create'], /missing required argument/],
    [['admin', 'topics', 'list'], /no brokers: give -b HOST:PORT/],
    [['admin', 'topics', 'create', 'a', '-p', 'x'], /whole number/],
    [['admin', 'topics', 'create', 'a', '-c', 'nothing'], /NAME=VALUE/],
    [['admin', 'partitions', 'move', 'a=1'], /TOPIC:PARTITION/],
    [['admin', 'partitions', 'move', 'a:0=one'], /brokers as 1,2,3/],
    [['admin', 'leaders', 'elect'], /name the partitions, or give --all/],
    [['admin', 'records', 'delete', 'a:0'], /TOPIC:PARTITION:OFFSET/],
    [['admin', 'groups', 'reset', 'g', '-t', 'a'], /give exactly one of --to-earliest/],
    [['admin', 'groups', 'reset', 'g', '--to-latest'], /name topics with -t/],
    [['admin', 'groups', 'reset', 'g', '-t', 'a', '--to-latest', '--dry-run', '--execute'], /not both/],
    [['admin', 'groups', 'remove', 'g'], /--instance or --member/],
    [['admin', 'acls', 'create', '--topic', 'a', '--principal', 'User:x'], /--operation/],
    [['admin', 'acls', 'delete'], /name the ACLs to delete/],
    [['admin', 'quotas', 'set', 'producer_byte_rate=1'], /name an entity/],
    [['admin', 'quotas', 'set', 'producer_byte_rate=fast', '--user', 'x'], /a number/],
    [['admin', 'transactions', 'abort', 'a:0'], /--start-offset, or --producer-id/],
    [['admin', 'cluster', 'set-feature', 'group.version=one'], /whole number/],
    [['admin', 'tokens', 'renew', '***'], /base64/],
  ]
  for (const [args, message] of wrong) {
    const { status, out, err } = await finished(args)
    assert.equal(status, 2, args.join(' '))
    assert.equal(out, '', args.join(' '))
    assert.match(err, message, args.join(' '))
  }
})

test('a word that the cluster does not know is wrong usage, too', async () => {
  const on = ['-b', cluster.bootstrapServers]
  const rule = ['--topic', 'a', '--principal', 'User:x', '--operation', 'look']
  const { status, err } = await finished(['admin', 'acls', 'create', ...rule, ...on])
  assert.equal(status, 2)
  assert.match(err, /operation must be one of all, read/)
})

test('a broker that is not there is told at once', async () => {
  const { status, err } = await finished(['admin', 'topics', 'list', '-b', '127.0.0.1:1'])
  assert.equal(status, 1)
  assert.match(err, /ECONNREFUSED.*check the address given with -b/)
})

test('a password comes from standard input, and an empty one is refused', async () => {
  const { status, err } = await finished(['admin', 'users', 'set', 'x', '-b', cluster.bootstrapServers], '\n')
  assert.equal(status, 2)
  assert.match(err, /the password is empty/)
})
