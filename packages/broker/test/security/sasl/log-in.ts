/** Logs in as a client does, on the wire. */
import { createHmac, createHash, pbkdf2Sync } from 'node:crypto'
import { SaslAuthenticate, SaslHandshake, type Decoded, type SaslAuthenticateResponse } from '@ottla/protocol'
import type { WireClient } from '../../wire-client.ts'

export type Answer = Decoded<SaslAuthenticateResponse>

export async function handshake(client: WireClient, mechanism: string, version = 1): Promise<number> {
  return (await client.ask(SaslHandshake, version, { mechanism })).errorCode
}

export function send(client: WireClient, token: string): Promise<Answer> {
  return client.ask(SaslAuthenticate, 2, { authBytes: Buffer.from(token) })
}

export async function plain(client: WireClient, name: string, password: string): Promise<Answer> {
  await handshake(client, 'PLAIN')
  return send(client, `\0${name}\0${password}`)
}

/** @returns the last response; throws Error if the broker does not prove that it knows the password */
export async function scram(
  client: WireClient,
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  name: string,
  password: string,
  extensions = '',
): Promise<Answer> {
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  await handshake(client, mechanism)
  const bare = `n=${name},r=clientnonce${extensions}`
  const challenge = await send(client, `n,,${bare}`)
  if (challenge.errorCode !== 0) return challenge
  const first = challenge.authBytes.toString()
  const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(\d+)$/.exec(first) ?? []
  const length = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), length, hash)
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${nonce}`
  const message = `${bare},${first},${withoutProof}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), message)
  const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0))
  const last = await send(client, `${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  if (last.errorCode !== 0) return last
  const expected = `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`
  if (last.authBytes.toString() !== expected) throw new Error('the broker does not know the password')
  return last
}

/** An unsigned JSON web token. */
export function unsecured(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

export async function bearer(client: WireClient, token: string): Promise<Answer> {
  await handshake(client, 'OAUTHBEARER')
  return send(client, `n,,\x01auth=Bearer ${token}\x01\x01`)
}
