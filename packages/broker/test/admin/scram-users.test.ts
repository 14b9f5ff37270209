import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AlterUserScramCredentials, DescribeUserScramCredentials, ErrorCode } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { scram } from '../security/sasl/log-in.ts'
import { WireClient } from '../wire-client.ts'

const SHA_256 = 1
const SHA_512 = 2
const salt = Buffer.from('pepper')

function upsertion(name: string, mechanism = SHA_512, iterations = 4096) {
  const saltedPassword = pbkdf2Sync('password', salt, iterations, 64, 'sha512')
  return { name, mechanism, iterations, salt, saltedPassword }
}

async function admin(cluster: EmbeddedCluster): Promise<WireClient> {
  const client = await WireClient.connect(cluster.bootstrapServers)
  await scram(client, 'SCRAM-SHA-256', 'admin', 'secret')
  return client
}

function start(): Promise<EmbeddedCluster> {
  return EmbeddedCluster.start({
    sasl: { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], users: { admin: 'secret', alice: 'secret' } },
    superUsers: ['admin'],
    acls: [],
  })
}

test('a user created by an admin client can log in and be described, until it is deleted', async () => {
  await using cluster = await start()
  const client = await admin(cluster)
  const made = await client.ask(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion('new')] })
  assert.deepEqual(made.results, [{ user: 'new', errorCode: 0, errorMessage: null }])
  const { results } = await client.ask(DescribeUserScramCredentials, 0, { users: null })
  assert.deepEqual(
    results.map(({ user, credentialInfos }) => [user, credentialInfos.map(info => [info.mechanism, info.iterations])]),
    [
      ['admin', [[SHA_256, 4096], [SHA_512, 4096]]], // prettier-ignore
      ['alice', [[SHA_256, 4096], [SHA_512, 4096]]], // prettier-ignore
      ['new', [[SHA_512, 4096]]],
    ],
  )
  const user = await WireClient.connect(cluster.bootstrapServers)
  assert.equal((await scram(user, 'SCRAM-SHA-512', 'new', 'password')).errorCode, 0)
  const gone = { deletions: [{ name: 'new', mechanism: SHA_512 }], upsertions: [] }
  assert.equal((await client.ask(AlterUserScramCredentials, 0, gone)).results[0]?.errorCode, 0)
  const late = await WireClient.connect(cluster.bootstrapServers)
  const refused = await scram(late, 'SCRAM-SHA-512', 'new', 'password')
  assert.equal(refused.errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  for (const connection of [client, user]) connection.close()
})

test('an invalid change is refused, with all changes of its user', async () => {
  await using cluster = await start()
  const client = await admin(cluster)
  const { results } = await client.ask(AlterUserScramCredentials, 0, {
    deletions: [
      { name: 'nobody', mechanism: SHA_256 },
      { name: 'two', mechanism: SHA_256 },
    ],
    upsertions: [
      upsertion('', SHA_512),
      upsertion('few', SHA_512, 4095),
      upsertion('many', SHA_512, 16_385),
      upsertion('odd', 3),
      upsertion('twice', SHA_512),
      upsertion('twice', SHA_512),
      upsertion('both', SHA_256),
      upsertion('both', SHA_512),
      upsertion('two', SHA_512),
    ],
  })
  assert.deepEqual(Object.fromEntries(results.map(({ user, errorCode }) => [user, errorCode])), {
    nobody: ErrorCode.ERR_RESOURCE_NOT_FOUND,
    both: ErrorCode.ERR_DUPLICATE_RESOURCE,
    // What is wrong with the first change counts.
    two: ErrorCode.ERR_RESOURCE_NOT_FOUND,
    '': ErrorCode.ERR_UNACCEPTABLE_CREDENTIAL,
    few: ErrorCode.ERR_UNACCEPTABLE_CREDENTIAL,
    many: ErrorCode.ERR_UNACCEPTABLE_CREDENTIAL,
    odd: ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM,
    twice: ErrorCode.ERR_DUPLICATE_RESOURCE,
  })
  const users = ['alice', 'nobody', 'admin', 'admin'].map(name => ({ name }))
  const described = await client.ask(DescribeUserScramCredentials, 0, { users })
  assert.deepEqual(
    described.results.map(({ user, errorCode, credentialInfos }) => [user, errorCode, credentialInfos.length]),
    [
      ['alice', 0, 2],
      ['nobody', ErrorCode.ERR_RESOURCE_NOT_FOUND, 0],
      ['admin', ErrorCode.ERR_DUPLICATE_RESOURCE, 0],
    ],
  )
  client.close()
})

test('describing and altering need permission on the cluster', async () => {
  await using cluster = await start()
  const client = await WireClient.connect(cluster.bootstrapServers)
  await scram(client, 'SCRAM-SHA-256', 'alice', 'secret')
  const described = await client.ask(DescribeUserScramCredentials, 0, { users: null })
  assert.equal(described.errorCode, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
  const altered = await client.ask(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion('x')] })
  assert.equal(altered.results[0]?.errorCode, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
  client.close()
})
