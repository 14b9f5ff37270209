import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { aclOperations } from '../../src/admin/acl-words.ts'
import { alterUserScramCredentials, describeUserScramCredentials, saltPassword } from '../../src/admin/scram.ts'
import { createAcls, deleteAcls, describeAcls, type AclBinding } from '../../src/admin/security.ts'
import { KafkaError } from '../../src/errors.ts'
import { scriptedCall } from './scripted-cluster.ts'

const rule: AclBinding = {
  resourceType: 'topic',
  name: 'orders',
  resourcePatternType: 'prefixed',
  principal: 'User:alice',
  host: '*',
  operation: 'write',
  permissionType: 'allow',
}
const wireRule = {
  resourceType: 2,
  resourceName: 'orders',
  principal: 'User:alice',
  host: '*',
  operation: 4,
  permissionType: 3,
}

function invalid(words: RegExp): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === ErrorCode.ERR__INVALID_ARG && words.test(error.message)
}

test('createAcls writes the wire numbers and returns one result per rule', async () => {
  const { call, sent } = scriptedCall({
    CreateAcls: () => ({
      results: [
        { errorCode: 0, errorMessage: null },
        { errorCode: ErrorCode.ERR_SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' },
      ],
    }),
  })
  const [first, second] = await createAcls(call, [rule, { ...rule, operation: 'idempotent-write' }])
  assert.deepEqual(first, {})
  assert.equal(second?.error?.code, ErrorCode.ERR_SECURITY_DISABLED)
  assert.match(second.error.message, /allow User:alice to idempotent-write topic orders.*No Authorizer/)
  const [creation] = (sent[0]?.body as { creations: object[] }).creations
  assert.deepEqual(creation, { ...wireRule, resourcePatternType: 4 })
})

test('an unknown word is refused with the list of valid ones', async () => {
  const { call, sent } = scriptedCall({})
  const wrong = { ...rule, operation: 'reed' } as unknown as AclBinding // as plain JavaScript would
  await assert.rejects(createAcls(call, [wrong]), invalid(/operation must be one of all, read,.*'reed'/))
  await assert.rejects(createAcls(call, [{ ...rule, principal: 'alice' }]), invalid(/User:alice/))
  await assert.rejects(createAcls(call, [{ ...rule, host: '' }]), invalid(/bindings\[0\].host/))
  const any = { ...rule, resourceType: 'any' } as unknown as AclBinding // only a filter may say that
  await assert.rejects(createAcls(call, [any]), invalid(/resourceType/))
  await assert.rejects(deleteAcls(call, []), invalid(/filters is empty/))
  assert.equal(sent.length, 0)
})

test('an omitted field of a filter matches anything', async () => {
  const { call, sent } = scriptedCall({
    DescribeAcls: () => ({
      errorCode: 0,
      errorMessage: null,
      resources: [
        {
          resourceType: 2,
          resourceName: 'orders',
          patternType: 4,
          acls: [
            { principal: 'User:alice', host: '*', operation: 4, permissionType: 3 },
            { principal: 'User:alice', host: '*', operation: 99, permissionType: 3 },
          ],
        },
      ],
    }),
  })
  assert.deepEqual(await describeAcls(call, {}), [rule], 'a word of a later Kafka is left out')
  assert.deepEqual(sent[0]?.body, {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  })
})

test('describeAcls rejects with the broker error', async () => {
  const { call } = scriptedCall({
    DescribeAcls: () => ({ errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, resources: [] }),
  })
  await assert.rejects(
    describeAcls(call, { resourceType: 'topic' }),
    (error: unknown) => error instanceof KafkaError && error.code === ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
  )
})

test('deleteAcls returns the deleted rules, filter by filter', async () => {
  const gone = { ...wireRule, patternType: 4, errorCode: 0, errorMessage: null }
  const { call } = scriptedCall({
    DeleteAcls: () => ({
      filterResults: [
        { errorCode: 0, errorMessage: null, matchingAcls: [gone] },
        { errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage: 'no', matchingAcls: [] },
      ],
    }),
  })
  const [first, second] = await deleteAcls(call, [{ name: 'orders' }, { resourcePatternType: 'match' }])
  assert.deepEqual(first, { bindings: [rule] })
  assert.equal(second?.error?.code, ErrorCode.ERR_INVALID_REQUEST)
})

test('authorized operations are words, and absent unless requested', () => {
  assert.deepEqual(aclOperations((1 << 3) | (1 << 12)), ['read', 'idempotent-write'])
  assert.deepEqual(aclOperations(0), [])
  assert.equal(aclOperations(-(2 ** 31)), undefined)
})

test('a SCRAM password is salted and hashed before it leaves the process', async () => {
  const { call, sent } = scriptedCall({
    AlterUserScramCredentials: () => ({ results: [{ user: 'alice', errorCode: 0, errorMessage: null }] }),
  })
  const salt = Buffer.from('41d99bc413f03f6b', 'hex')
  const results = await alterUserScramCredentials(call, [
    { user: 'alice', mechanism: 'SCRAM-SHA-256', iterations: 4096, password: 'secret', salt },
    { user: 'alice', mechanism: 'SCRAM-SHA-512', delete: true },
  ])
  assert.deepEqual(results, [{ user: 'alice' }, { user: 'alice' }])
  assert.deepEqual(sent[0]?.body, {
    deletions: [{ name: 'alice', mechanism: 2 }],
    upsertions: [
      {
        name: 'alice',
        mechanism: 1,
        iterations: 4096,
        salt,
        saltedPassword: pbkdf2Sync('secret', salt, 4096, 32, 'sha256'),
      },
    ],
  })
})

test('salting is work for the threads of the client, which a simulation replaces', async () => {
  const { call } = scriptedCall({
    AlterUserScramCredentials: () => ({ results: [{ user: 'alice', errorCode: 0, errorMessage: null }] }),
  })
  const lengths: number[] = []
  const threads = {
    async run<T>(work: () => Promise<T>): Promise<T> {
      const result = await work()
      lengths.push((result as Buffer).length)
      return result
    },
  }
  await alterUserScramCredentials({ ...call, context: { ...call.context, threads } }, [
    { user: 'alice', mechanism: 'SCRAM-SHA-512', iterations: 4096, password: 'secret' },
  ])
  assert.deepEqual(lengths, [64])
})

test('salting is Hi() of RFC 5802 with the output length of the hash', async () => {
  // The vector of RFC 7677: password "pencil".
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const salted = await saltPassword('SCRAM-SHA-256', 'pencil', salt, 4096)
  assert.equal(salted.toString('base64'), 'xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=')
  assert.equal((await saltPassword('SCRAM-SHA-512', 'pencil', salt, 1)).length, 64)
})

test('SCRAM arguments are checked, and no message shows a password', async () => {
  const { call, sent } = scriptedCall({})
  const credential = { user: 'alice', mechanism: 'SCRAM-SHA-256', iterations: 0, password: 'hunter2' } as const
  await assert.rejects(alterUserScramCredentials(call, [credential]), (error: unknown) => {
    return invalid(/iterations of user 'alice'/)(error) && !(error as Error).message.includes('hunter2')
  })
  await assert.rejects(
    alterUserScramCredentials(call, [{ ...credential, iterations: 4096, password: '' }]),
    invalid(/password of user 'alice'/),
  )
  assert.equal(sent.length, 0)
})

test('describeUserScramCredentials asks for all users if none is named', async () => {
  const { call, sent } = scriptedCall({
    DescribeUserScramCredentials: () => ({
      errorCode: 0,
      errorMessage: null,
      results: [
        { user: 'alice', errorCode: 0, errorMessage: null, credentialInfos: [{ mechanism: 2, iterations: 8192 }] },
      ],
    }),
  })
  assert.deepEqual(await describeUserScramCredentials(call, []), [
    { user: 'alice', credentials: [{ mechanism: 'SCRAM-SHA-512', iterations: 8192 }] },
  ])
  assert.deepEqual(sent[0]?.body, { users: null })
})
