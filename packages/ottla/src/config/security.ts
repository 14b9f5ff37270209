/** Properties of encryption and authentication. */
import { bool, choice, clib, elsewhere, int, planned, secret, text, textOr } from './property.ts'

const MAX_INT = 2_147_483_647
const later = planned(8)

export const securityProperties = {
  'security.protocol': choice(
    '*',
    ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'],
    'plaintext',
    'How brokers are spoken to: in clear or by TLS, with or without SASL.',
    { importance: 'high' },
  ),
  'ssl.cipher.suites': text(
    '*',
    "Cipher suites by OpenSSL's names, separated by colons. Those of TLS 1.3 (`TLS_...`) stay as they are unless some of them are named.",
  ),
  'ssl.curves.list': text('*', "Groups for the key exchange by OpenSSL's names, separated by colons: `X25519:P-256`."),
  'ssl.sigalgs.list': text(
    '*',
    "Signature algorithms by OpenSSL's names, separated by colons: `ECDSA+SHA256:RSA-PSS+SHA256`.",
  ),
  'ssl.key.location': text(
    '*',
    "File with the client's private key (PEM); read anew for each connection, as are all files here.",
  ),
  'ssl.key.password': secret('*', 'Password of the private key.'),
  'ssl.key.pem': secret('*', "The client's private key itself (PEM)."),
  ssl_key: elsewhere('*', '`ssl.key.pem`', 'Private key object.'),
  'ssl.certificate.location': text(
    '*',
    "File with the client's certificate (PEM), and those above it, if brokers need them.",
  ),
  'ssl.certificate.pem': text('*', "The client's certificate itself (PEM)."),
  ssl_certificate: elsewhere('*', '`ssl.certificate.pem`', 'Certificate object.'),
  'ssl.ca.location': text(
    '*',
    "File (PEM), or folder of files, with the authorities that brokers' certificates are checked against. Not set, or `probe`: the system's and those that Node.js brings.",
  ),
  'https.ca.location': text('*', 'File with authorities for HTTPS endpoints of identity providers.', { status: later }),
  'https.ca.pem': text('*', 'Authorities for HTTPS endpoints themselves (PEM).', { status: later }),
  'ssl.ca.pem': text('*', 'Certificates of the authorities themselves (PEM).'),
  ssl_ca: elsewhere('*', '`ssl.ca.pem`', 'Authority certificate object.'),
  'ssl.ca.certificate.stores': textOr(
    '*',
    'Root',
    'Windows certificate stores. Node.js 22.15 and later reads those of the system by itself, where `ssl.ca.location` is not set.',
    { status: clib },
  ),
  'ssl.crl.location': text(
    '*',
    "File with lists of revoked certificates (PEM): of the issuer of the brokers' certificates, and of each authority above it.",
  ),
  'ssl.keystore.location': text(
    '*',
    "PKCS#12 file with the client's key and certificate. Authorities in it are trusted too.",
  ),
  'ssl.keystore.password': secret('*', 'Password of the PKCS#12 file.'),
  'ssl.providers': text('*', 'OpenSSL providers.', { status: clib }),
  'ssl.engine.location': text('*', 'OpenSSL engine.', { status: clib, deprecated: true }),
  'ssl.engine.id': textOr('*', 'dynamic', 'OpenSSL engine.', { status: clib }),
  ssl_engine_callback_data: elsewhere('*', 'nothing', 'OpenSSL engine data.'),
  'enable.ssl.certificate.verification': bool(
    '*',
    true,
    "Whether brokers' certificates are checked. Switching it off makes TLS worthless against an active attacker.",
  ),
  'ssl.endpoint.identification.algorithm': choice(
    '*',
    ['none', 'https'],
    'https',
    "Whether the broker's name must stand in its certificate.",
  ),
  'ssl.certificate.verify_cb': elsewhere(
    '*',
    'the option `verifyCertificate` of the constructor',
    "Judges brokers' certificates.",
  ),
  'sasl.mechanisms': textOr(
    '*',
    'GSSAPI',
    'How to authenticate: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or GSSAPI (with the package `kerberos`); OAUTHBEARER comes with a later version.',
    { importance: 'high' },
  ),
  'sasl.kerberos.service.name': textOr('*', 'kafka', "Kerberos name of the brokers' service."),
  'sasl.kerberos.principal': textOr(
    '*',
    'kafkaclient',
    'Kerberos name of this client, as `sasl.kerberos.kinit.cmd` has it.',
  ),
  'sasl.kerberos.kinit.cmd': text(
    '*',
    'Command that fetches or renews the Kerberos ticket, run by the shell when the client is first used and at intervals. By default `kinit` with the key table; without key table and command, the ticket that is there is used.',
  ),
  'sasl.kerberos.keytab': text('*', 'File with the Kerberos keys of this client (key table).'),
  'sasl.kerberos.min.time.before.relogin': int(
    '*',
    [0, 86_400_000],
    60_000,
    'Time between two runs of `sasl.kerberos.kinit.cmd`, in ms; 0: it is run only once.',
  ),
  'sasl.username': text('*', 'User name for PLAIN and SCRAM.', { importance: 'high' }),
  'sasl.password': secret('*', 'Password for PLAIN and SCRAM.', { importance: 'high' }),
  'sasl.oauthbearer.config': secret('*', 'Parameters for the token function, or of an unsecured token.', {
    status: later,
  }),
  'enable.sasl.oauthbearer.unsecure.jwt': bool('*', false, 'Makes unsecured tokens; for development only.', {
    status: later,
  }),
  oauthbearer_token_refresh_cb: elsewhere('*', 'nothing yet', 'Token function.'),
  'sasl.oauthbearer.method': choice(
    '*',
    ['default', 'oidc'],
    'default',
    'Where tokens come from: the program, or an identity provider.',
    { status: later },
  ),
  'sasl.oauthbearer.client.id': text('*', 'Public name of this client at the identity provider.', { status: later }),
  'sasl.oauthbearer.client.secret': secret('*', 'Secret of this client at the identity provider.', { status: later }),
  'sasl.oauthbearer.scope': text('*', 'Scope asked of the identity provider.', { status: later }),
  'sasl.oauthbearer.extensions': text('*', 'Extensions for the broker, `key=value` separated by commas.', {
    status: later,
  }),
  'sasl.oauthbearer.token.endpoint.url': text('*', 'Where the identity provider gives tokens.', { status: later }),
  'sasl.oauthbearer.sub.claim.name': textOr('*', 'sub', 'Claim that names the user.', { status: later }),
  'sasl.oauthbearer.grant.type': choice(
    '*',
    ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    'client_credentials',
    'How the identity provider is asked.',
    { status: later },
  ),
  'sasl.oauthbearer.assertion.algorithm': choice('*', ['RS256', 'ES256'], 'RS256', 'Signature of the assertion.', {
    status: later,
  }),
  'sasl.oauthbearer.assertion.private.key.file': text('*', 'File with the key that signs the assertion.', {
    status: later,
  }),
  'sasl.oauthbearer.assertion.private.key.passphrase': secret('*', 'Password of that key.', { status: later }),
  'sasl.oauthbearer.assertion.private.key.pem': secret('*', 'That key itself (PEM).', { status: later }),
  'sasl.oauthbearer.assertion.file': text('*', 'File with a ready assertion.', { status: later }),
  'sasl.oauthbearer.assertion.claim.aud': text('*', 'Audience of the assertion.', { status: later }),
  'sasl.oauthbearer.assertion.claim.exp.seconds': int(
    '*',
    [1, MAX_INT],
    300,
    'How long the assertion is valid, in seconds.',
    { status: later },
  ),
  'sasl.oauthbearer.assertion.claim.iss': text('*', 'Issuer of the assertion.', { status: later }),
  'sasl.oauthbearer.assertion.claim.jti.include': bool('*', false, 'Gives each assertion an id of its own.', {
    status: later,
  }),
  'sasl.oauthbearer.assertion.claim.nbf.seconds': int(
    '*',
    [0, MAX_INT],
    60,
    'How far in the past the assertion begins to be valid, in seconds.',
    { status: later },
  ),
  'sasl.oauthbearer.assertion.claim.sub': text('*', 'Subject of the assertion.', { status: later }),
  'sasl.oauthbearer.assertion.jwt.template.file': text('*', 'File with further claims for the assertion.', {
    status: later,
  }),
  'sasl.oauthbearer.metadata.authentication.type': choice(
    '*',
    ['none', 'azure_imds', 'aws_iam'],
    'none',
    "Tokens from the cloud's own identity service.",
    { status: later },
  ),
} as const
