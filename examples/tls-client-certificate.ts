/** TLS with certificates on both sides: which brokers are trusted, who the client is, and a check of your own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedCluster } from '@ottla/broker'
import { Producer, type KafkaError, type ProducerConfig } from 'ottla'

// Self-signed certificates, made by openssl for this run.
const folder = mkdtempSync(join(tmpdir(), 'tls-example-'))
const certFile = (name: string): string => join(folder, `${name}.pem`)
const keyFile = (name: string): string => join(folder, `${name}.key`)
function makeCertificate(name: string, ...more: string[]): void {
  const pair = ['-keyout', keyFile(name), '-out', certFile(name)]
  const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
  execFileSync('openssl', ['req', ...how, '-subj', `/CN=${name}`, ...pair, ...more], { stdio: 'ignore' })
}
makeCertificate('broker', '-addext', 'subjectAltName=IP:127.0.0.1')
makeCertificate('alice')
makeCertificate('mallory')

const cluster = await EmbeddedCluster.start({
  tls: {
    key: readFileSync(keyFile('broker')),
    cert: readFileSync(certFile('broker')),
    ca: readFileSync(certFile('alice')),
    clientAuth: 'required',
  },
})

const config = (name: string): ProducerConfig => ({
  'bootstrap.servers': cluster.bootstrapServers,
  'security.protocol': 'ssl',
  'ssl.ca.location': certFile('broker'),
  'ssl.certificate.location': certFile(name),
  'ssl.key.location': keyFile(name),
})

// The function has the final say; `error` is null when the client's own checks passed.
const alice = new Producer(config('alice'), {
  verifyCertificate: ({ certificate, error }) => {
    console.log(`the broker presents ${certificate.subject}: ${error === null ? 'trusted' : error.message}`)
    return error === null
  },
})
const report = await alice.send({ topic: 'orders', value: 'encrypted' })
console.log(`alice: ${report.status} at offset ${report.offset}`)
await alice.close()

// A failure is an event; the client keeps retrying, and reads the files again each time.
const mallory = new Producer(config('mallory'))
const error = await new Promise<KafkaError>(resolve => mallory.on('error', event => resolve(event.error)))
console.log(`mallory: ${error.message.replace(folder, '…')}`)
await mallory.close(0)

await cluster.close()
rmSync(folder, { recursive: true })
