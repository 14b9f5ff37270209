// Leaves test clusters and connections to them open; the process ends all the same.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startSharedCluster, startTestCluster } from '@ottla/broker/testing'

const read = name => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url))
const tls = { key: read('server-key.pem'), cert: read('server-cert.pem') }

async function left() {
  const addresses = []
  for (const options of [{}, { tls }]) {
    const { bootstrapServers } = await startTestCluster({ brokers: 2, topics: ['orders'], ...options })
    addresses.push(bootstrapServers.split(',')[0].split(':'))
  }
  await startSharedCluster()
  const [plain, secured] = addresses.map(([host, port]) => ({ host, port: Number(port) }))
  const socket = connect(plain)
  await new Promise(resolve => socket.once('connect', resolve))
  const tlsSocket = connectTls({ ...secured, rejectUnauthorized: false })
  await new Promise(resolve => tlsSocket.once('secureConnect', resolve))
  socket.unref()
  tlsSocket.unref()
}

void left().then(() => console.log('left'))
