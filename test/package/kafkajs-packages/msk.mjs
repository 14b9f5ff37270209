// A SASL plug-in for Amazon MSK: `node msk.mjs BROKERS`. Prints how many brokers it has found.
import { createMechanism } from '@jm18457/kafkajs-msk-iam-authentication-mechanism'
import kafkajs from 'kafkajs'

const { Kafka, logLevel } = kafkajs
const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }
const kafka = new Kafka({
  brokers: process.argv[2].split(','),
  sasl: createMechanism({ region: 'eu-west-1', credentials }),
  logLevel: logLevel.NOTHING,
  retry: { retries: 1 },
})
const admin = kafka.admin()
await admin.connect()
const { brokers } = await admin.describeCluster()
await admin.disconnect()
console.log(JSON.stringify({ brokers: brokers.length }))
