import assert from 'node:assert/strict'
import { test } from 'node:test'
import { node } from './program.ts'

test('CommonJS can require the client and the embedded cluster', async () => {
  const program = `
    const { Producer, Consumer, AdminClient, KafkaError, ErrorCode, libraryVersion } = require('ottla')
    const { EmbeddedCluster } = require('@ottla/broker')
    console.log([Producer, Consumer, AdminClient, KafkaError, EmbeddedCluster].map(c => c.name).join(), ErrorCode.ERR__TIMED_OUT)
  `
  const { code, out, err } = await node(['-e', program])
  assert.deepEqual(
    { code, out },
    { code: 0, out: 'Producer,Consumer,AdminClient,KafkaError,EmbeddedCluster -185\n' },
    err,
  )
})

test('an error of the required library is an instance of the imported one', async () => {
  const program = `
    const { Producer, KafkaError } = require('ottla')
    import('ottla').then(imported => {
      try { new Producer({ 'no.such.key': 1 }) } catch (error) {
        console.log(error instanceof KafkaError, error instanceof imported.KafkaError, error.name)
      }
    })
  `
  assert.equal((await node(['-e', program])).out, 'true true ERR__INVALID_ARG\n')
})
