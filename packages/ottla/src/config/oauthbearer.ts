/** Checks the settings of OAUTHBEARER for contradictions and for what is missing. */
import { invalidArgument } from '../errors.ts'
import type { PropertyName } from './table.ts'

type Values = Readonly<Record<string, unknown>>

const ASSERTION = 'sasl.oauthbearer.assertion'

// What a ready assertion already contains.
const besidesFile: readonly PropertyName[] = [
  `${ASSERTION}.private.key.file`,
  `${ASSERTION}.private.key.pem`,
  `${ASSERTION}.private.key.passphrase`,
  `${ASSERTION}.jwt.template.file`,
  `${ASSERTION}.claim.sub`,
  `${ASSERTION}.claim.aud`,
  `${ASSERTION}.claim.iss`,
  `${ASSERTION}.claim.jti.include`,
  `${ASSERTION}.claim.exp.seconds`,
  `${ASSERTION}.claim.nbf.seconds`,
]

/**
 * The same checks as librdkafka's, only with `sasl.mechanisms=OAUTHBEARER`. Throws KafkaError ERR__INVALID_ARG.
 * @param set - the properties that the application has set
 */
export function checkOAuthBearer(values: Values, set: ReadonlySet<PropertyName>): void {
  if (String(values['sasl.mechanisms']).toUpperCase() !== 'OAUTHBEARER') return
  if (isGiven(values, 'https.ca.location') && isGiven(values, 'https.ca.pem')) {
    throw invalidArgument('https.ca.location and https.ca.pem cannot both be set')
  }
  if (values['sasl.oauthbearer.method'] !== 'oidc') return
  if (values['enable.sasl.oauthbearer.unsecure.jwt'] === true) {
    throw invalidArgument('enable.sasl.oauthbearer.unsecure.jwt and sasl.oauthbearer.method=oidc cannot both be set')
  }
  if (String(values['sasl.oauthbearer.sub.claim.name']).trim() === '') {
    throw invalidArgument('sasl.oauthbearer.sub.claim.name is empty')
  }
  const cloud = values['sasl.oauthbearer.metadata.authentication.type']
  checkEndpoint(values, cloud)
  if (cloud === 'none') checkGrant(values, set)
}

function checkEndpoint(values: Values, cloud: unknown): void {
  const name = 'sasl.oauthbearer.token.endpoint.url'
  const given = values[name]
  if (typeof given === 'string' && given !== '') {
    const url = URL.canParse(given) ? new URL(given) : null
    // Not shown: it may contain a password.
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      throw invalidArgument(`${name} is not an https or http URL`)
    return
  }
  if (cloud === 'none') throw invalidArgument(`sasl.oauthbearer.method=oidc needs ${name}`)
  if (cloud === 'aws_iam') return
  const config = values['sasl.oauthbearer.config']
  if (typeof config === 'string' && config.split(',').some(pair => pair.trim().startsWith('query='))) return
  throw invalidArgument(`azure_imds needs query=… in sasl.oauthbearer.config, or ${name}`)
}

function checkGrant(values: Values, set: ReadonlySet<PropertyName>): void {
  if (values['sasl.oauthbearer.grant.type'] === 'client_credentials') {
    for (const name of ['sasl.oauthbearer.client.id', 'sasl.oauthbearer.client.secret'] as const) {
      if (!isGiven(values, name)) throw invalidArgument(`sasl.oauthbearer.method=oidc needs ${name}`)
    }
    return
  }
  const hasFile = isGiven(values, `${ASSERTION}.private.key.file`)
  const hasPem = isGiven(values, `${ASSERTION}.private.key.pem`)
  if (isGiven(values, `${ASSERTION}.file`)) {
    const wrong = besidesFile.find(name => set.has(name))
    if (wrong !== undefined) throw invalidArgument(`${ASSERTION}.file and ${wrong} cannot both be set`)
  } else if (hasFile && hasPem) {
    throw invalidArgument(`${ASSERTION}.private.key.file and ${ASSERTION}.private.key.pem cannot both be set`)
  } else if (!hasFile && !hasPem) {
    throw invalidArgument(
      `sasl.oauthbearer.grant.type=jwt-bearer needs ${ASSERTION}.private.key.file, .private.key.pem or ${ASSERTION}.file`,
    )
  }
}

function isGiven(values: Values, name: PropertyName): boolean {
  return (values[name] ?? '') !== ''
}
