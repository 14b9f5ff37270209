/** The authorities that are trusted by default: those of the system and of Node.js. */
import { readFile } from 'node:fs/promises'
import type * as Tls from 'node:tls'

// Where distributions keep the system's authorities; the first one found counts, as in the C library.
const bundles = [
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/certs/ca-bundle.crt',
  '/etc/pki/tls/certs/ca-bundle.trust.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/ssl/cert.pem',
  '/etc/ssl/cacert.pem',
  '/etc/certs/ca-certificates.crt',
  '/etc/ssl/certs/ca-certificates.crt',
  '/usr/local/share/certs/ca-root-nss.crt',
  '/usr/local/share/certs/ca-bundle.crt',
  '/usr/local/etc/openssl/cert.pem',
]

interface KnowsAuthorities {
  getCACertificates?: (type: 'default' | 'system') => string[]
}

let known: Promise<string[] | null> | null = null

/** PEM texts, or null for Node.js's defaults. Read once per process, like those of Node.js. */
export function standardAuthorities(): Promise<string[] | null> {
  known ??= find()
  return known
}

async function find(): Promise<string[] | null> {
  const tls: typeof Tls & KnowsAuthorities = process.getBuiltinModule('node:tls')
  const system = tls.getCACertificates?.('system') ?? (await firstBundle())
  if (system.length === 0) return null
  const own = tls.getCACertificates?.('default') ?? [...tls.rootCertificates, ...(await extra())]
  return [...new Set([...own, ...system])]
}

async function firstBundle(): Promise<string[]> {
  for (const path of bundles) {
    const text = await readFile(path, 'latin1').catch(() => '')
    if (text !== '') return blocks(text)
  }
  return []
}

// Node.js ignores NODE_EXTRA_CA_CERTS as soon as authorities are given.
async function extra(): Promise<string[]> {
  const path = process.env['NODE_EXTRA_CA_CERTS']
  return path === undefined || path === '' ? [] : blocks(await readFile(path, 'latin1').catch(() => ''))
}

function blocks(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}
