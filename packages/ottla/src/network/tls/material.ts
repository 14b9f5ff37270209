/** Reads the certificates and keys that the `ssl.*` properties name. */
import { accessSync, constants } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import type { CommonSettings } from '../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import { standardAuthorities } from './authorities.ts'

/** Bytes and their origin, for errors: `ssl.key.pem`, `ssl.key.location=/etc/client.key`. */
export interface Piece {
  readonly origin: string
  readonly bytes: Buffer
}

/** Everything that authenticates the client, or is needed to check the broker's certificate. */
export interface Material {
  /** Authorities that the application named, or null for the standard ones. */
  readonly ca: readonly Piece[] | null
  /** The standard ones, if they are not Node's own. */
  readonly standardCa: readonly string[] | null
  readonly cert: Piece | null
  readonly key: Piece | null
  readonly keystore: Piece | null
  readonly crl: Piece | null
}

type FileProperty =
  'ssl.ca.location' | 'ssl.certificate.location' | 'ssl.key.location' | 'ssl.keystore.location' | 'ssl.crl.location'
type PemProperty = 'ssl.ca.pem' | 'ssl.certificate.pem' | 'ssl.key.pem'

const files: readonly FileProperty[] = [
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.keystore.location',
  'ssl.crl.location',
]

/** Value of `ssl.ca.location` and `https.ca.location` that stands for the system's authorities. */
export const PROBE = 'probe'

/**
 * Checks what can be checked without reading: the files exist, and the properties fit together.
 * Throws KafkaError ERR__INVALID_ARG.
 */
export function checkNames(settings: CommonSettings): void {
  const has = (name: FileProperty | PemProperty): boolean => (settings[name] ?? '') !== ''
  for (const name of files) if (has(name)) checkFile(settings, name)
  for (const one of ['certificate', 'key'] as const) {
    if (has(`ssl.${one}.pem`) && has(`ssl.${one}.location`)) {
      throw invalidArgument(`ssl.${one}.pem and ssl.${one}.location cannot both be set`)
    }
  }
  const cert = has('ssl.certificate.pem') || has('ssl.certificate.location')
  const key = has('ssl.key.pem') || has('ssl.key.location')
  if (has('ssl.keystore.location') && (cert || key)) {
    const other = cert ? 'ssl.certificate.*' : 'ssl.key.*'
    throw invalidArgument(`ssl.keystore.location contains key and certificate: ${other} cannot be set as well`)
  }
  if (cert && !key) throw invalidArgument('ssl.certificate.* needs the private key in ssl.key.location or ssl.key.pem')
  if (key && !cert)
    throw invalidArgument('ssl.key.* needs the certificate in ssl.certificate.location or ssl.certificate.pem')
}

/** The properties of certificates and keys that are set, for a warning if TLS is not used. */
export function namesInUse(settings: CommonSettings): string[] {
  const names = [...files, 'ssl.ca.pem', 'ssl.certificate.pem', 'ssl.key.pem'] as const
  return names.filter(name => (settings[name] ?? '') !== '')
}

/** Reads everything again. Rejects with KafkaError ERR__SSL that names the property and the file. */
export async function readMaterial(settings: CommonSettings): Promise<Material> {
  const isStandard = !settings['ssl.ca.pem'] && (!settings['ssl.ca.location'] || settings['ssl.ca.location'] === PROBE)
  const [ca, standardCa, cert, key, keystore, crl] = await Promise.all([
    isStandard ? null : authorities(settings),
    isStandard ? standardAuthorities() : null,
    inline(settings, 'ssl.certificate.pem') ?? fromFile(settings, 'ssl.certificate.location'),
    inline(settings, 'ssl.key.pem') ?? fromFile(settings, 'ssl.key.location'),
    fromFile(settings, 'ssl.keystore.location'),
    fromFile(settings, 'ssl.crl.location'),
  ])
  return { ca, standardCa, cert, key, keystore, crl }
}

/** The material if all of it is given as text, so that no file has to be read; else null. */
export function inlineMaterial(settings: CommonSettings): Material | null {
  if (files.some(name => (settings[name] ?? '') !== '')) return null
  const ca = inline(settings, 'ssl.ca.pem')
  return {
    ca: ca === null ? null : [ca],
    standardCa: null,
    cert: inline(settings, 'ssl.certificate.pem'),
    key: inline(settings, 'ssl.key.pem'),
    keystore: null,
    crl: null,
  }
}

/** Whether both have the same content. */
export function sameMaterial(a: Material, b: Material): boolean {
  return (
    samePiece(a.cert, b.cert) &&
    samePiece(a.key, b.key) &&
    samePiece(a.keystore, b.keystore) &&
    samePiece(a.crl, b.crl) &&
    sameList(a.ca, b.ca, samePiece) &&
    sameList(a.standardCa, b.standardCa, (x, y) => x === y)
  )
}

function samePiece(a: Piece | null, b: Piece | null): boolean {
  return a === b || (a !== null && b !== null && a.origin === b.origin && a.bytes.equals(b.bytes))
}

function sameList<T>(a: readonly T[] | null, b: readonly T[] | null, same: (x: T, y: T) => boolean): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((x, i) => same(x, b[i] as T)) // as long as the other one
}

async function authorities(settings: CommonSettings): Promise<Piece[]> {
  const pieces: Piece[] = []
  const text = inline(settings, 'ssl.ca.pem')
  if (text !== null) pieces.push(text)
  const path = settings['ssl.ca.location']
  if (path === undefined || path === '' || path === PROBE) return pieces
  return [...pieces, ...(await readAuthorities('ssl.ca.location', path))]
}

/** The authorities in a file, or in the files of a folder. Rejects with KafkaError ERR__SSL. */
export async function readAuthorities(
  property: 'ssl.ca.location' | 'https.ca.location',
  path: string,
): Promise<Piece[]> {
  const origin = `${property}=${path}`
  try {
    if (!(await stat(path)).isDirectory()) return [{ origin, bytes: await readFile(path) }]
    const pieces: Piece[] = []
    for (const name of (await readdir(path)).sort()) {
      const file = join(path, name)
      if (!(await stat(file)).isFile()) continue
      const bytes = await readFile(file)
      if (bytes.includes('-----BEGIN')) pieces.push({ origin: `${property}: ${file}`, bytes })
    }
    return pieces
  } catch (error) {
    throw unreadable(origin, error, ErrorCode.ERR__SSL)
  }
}

function inline(settings: CommonSettings, name: PemProperty): Piece | null {
  const text = settings[name]
  if (text === undefined || text === '') return null
  // A line of a .properties file has line breaks as the two characters \n.
  return { origin: name, bytes: Buffer.from(text.replaceAll('\\n', '\n')) }
}

async function fromFile(settings: CommonSettings, name: FileProperty): Promise<Piece | null> {
  const path = settings[name]
  if (path === undefined || path === '') return null
  const origin = `${name}=${path}`
  try {
    return { origin, bytes: await readFile(path) }
  } catch (error) {
    throw unreadable(origin, error, ErrorCode.ERR__SSL)
  }
}

function checkFile(settings: CommonSettings, name: FileProperty): void {
  const path = settings[name]
  if (path === undefined || (name === 'ssl.ca.location' && path === PROBE)) return
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw unreadable(`${name}=${path}`, error, ErrorCode.ERR__INVALID_ARG)
  }
}

function unreadable(origin: string, cause: unknown, code: number): KafkaError {
  const why = messageOf(cause)
  return new KafkaError(code, `${origin} cannot be read: ${why}`, { cause })
}
