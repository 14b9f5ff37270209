/**
 * node-rdkafka's configurations: librdkafka's properties, and `ottla`'s own. Generated from the table in
 * `packages/ottla/src/config`; run `npm run docs` after changing it.
 */
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-function-type -- node-rdkafka's own types */

/** What all clients take. */
export interface GlobalConfig {
  /** Features that the C library was built with. Here they cannot be chosen. No effect. */
  'builtin.features'?: string
  /** Name of this client in the brokers' logs and quotas and in its own logs. */
  'client.id'?: string
  /** Brokers to connect to first, `host:port` separated by commas; the default port is 9092. The client learns the others from the cluster. */
  'metadata.broker.list'?: string
  /** Largest message, and a producer's largest request, in bytes before compression. */
  'message.max.bytes'?: number
  /** Size from which the C library references instead of copying. Here a message is always copied once, into its batch. No effect. */
  'message.copy.max.bytes'?: number
  /** Largest response accepted from a broker, in bytes: protects against garbage. At least `fetch.max.bytes` + 512. */
  'receive.message.max.bytes'?: number
  /** Most produce requests in flight to one broker. With more than one, a retried batch may be overtaken, unless the producer is idempotent. */
  'max.in.flight.requests.per.connection'?: number
  /** What to do when none of the known brokers can be reached: keep trying them, or try `bootstrap.servers` again as well (KIP-899). */
  'metadata.recovery.strategy'?: 'none' | 'rebootstrap'
  /** How long metadata requests may fail before the C library returns to `bootstrap.servers`. Here that happens as soon as no broker can be reached. No effect. */
  'metadata.recovery.rebootstrap.trigger.ms'?: number
  /** How often metadata is refreshed in any case; -1 never. */
  'topic.metadata.refresh.interval.ms'?: number
  /** Age at which cached metadata counts as stale; three times the refresh interval unless set. */
  'metadata.max.age.ms'?: number
  /** First backoff between refreshes of metadata that proved stale; grows from there. */
  'topic.metadata.refresh.fast.interval.ms'?: number
  /** No longer used by the C library either. No effect. */
  'topic.metadata.refresh.fast.cnt'?: number
  /** Request metadata of the topics in use only. Always so here, except that a pattern subscription requests all topics. No effect. */
  'topic.metadata.refresh.sparse'?: boolean
  /** How long a new topic may stay unknown before its messages fail. */
  'topic.metadata.propagation.max.ms'?: number
  /** Patterns of topics that are left out of pattern subscriptions and metadata. */
  'topic.blacklist'?: any
  /** Contexts whose debug lines are logged, separated by commas. */
  debug?: string
  /** How long a response may take. For requests with a limit of their own on the broker, that limit is added. */
  'socket.timeout.ms'?: number
  /** No longer used by the C library either. No effect. */
  'socket.blocking.max.ms'?: number
  /** Size of the socket send buffer. Node.js leaves it to the operating system. No effect. */
  'socket.send.buffer.bytes'?: number
  /** Size of the socket receive buffer. Node.js leaves it to the operating system. No effect. */
  'socket.receive.buffer.bytes'?: number
  /** TCP keep-alive on connections to brokers. */
  'socket.keepalive.enable'?: boolean
  /** TCP_NODELAY: small requests are sent at once. */
  'socket.nagle.disable'?: boolean
  /** Requests that may time out in a row before the connection is closed; 0 never closes it. Responses come in order, so a late one delays those behind it. */
  'socket.max.fails'?: number
  /** How long resolved addresses are cached. Here a name is resolved again once all its addresses have been tried. No effect. */
  'broker.address.ttl'?: number
  /** IP version of the addresses used. */
  'broker.address.family'?: 'any' | 'v4' | 'v6'
  /** How long connecting may take, TLS and authentication included. */
  'socket.connection.setup.timeout.ms'?: number
  /** Closes a connection that has been idle for this long; 0 leaves that to the broker. */
  'connections.max.idle.ms'?: number
  /** No longer used by the C library either. No effect. */
  'reconnect.backoff.jitter.ms'?: number
  /** Backoff after the first failed connection attempt; doubles with each attempt, with jitter. */
  'reconnect.backoff.ms'?: number
  /** Longest backoff between connection attempts. */
  'reconnect.backoff.max.ms'?: number
  /** How often a `stats` event is emitted; 0 never. */
  'statistics.interval.ms'?: number
  /** Bit mask of event types. Here an event is emitted if there is a listener for it. No effect. */
  enabled_events?: number
  /** Errors that the client recovers from. */
  error_cb?: any
  /** Called when a broker throttles the client. */
  throttle_cb?: any
  /** Statistics. */
  stats_cb?: any
  /** Log lines. */
  log_cb?: any
  /** Highest syslog severity that is logged; debug lines are governed by `debug`. */
  log_level?: number
  /** Whether log lines wait for poll. They never do here. No effect. */
  'log.queue'?: boolean
  /** Thread names in log lines. JavaScript has one thread. No effect. */
  'log.thread.name'?: boolean
  /** Seeds the C random numbers. No effect. */
  'enable.random.seed'?: boolean
  /** Logs lost connections. Brokers close idle ones, so these lines may be noise. */
  'log.connection.close'?: boolean
  /** Events outside of poll. */
  background_event_cb?: any
  /** Socket creation of the C library. */
  socket_cb?: any
  /** Connecting sockets. */
  connect_cb?: any
  /** Socket closing of the C library. */
  closesocket_cb?: any
  /** File opening of the C library. */
  open_cb?: any
  /** Name resolution. */
  resolve_cb?: any
  /** Topic configuration object. */
  default_topic_conf?: any
  /** Signal that ends blocking C calls. No effect. */
  'internal.termination.signal'?: number
  /** Requests the API versions of brokers. Always done. No effect. */
  'api.version.request'?: boolean
  /** How long a broker may take to report its API versions. */
  'api.version.request.timeout.ms'?: number
  /** For brokers before 0.10, which are not supported. No effect. */
  'api.version.fallback.ms'?: number
  /** For brokers before 0.10, which are not supported. No effect. */
  'broker.version.fallback'?: string
  /** Whether subscribing to a missing topic may create it, if the broker allows it. Producers always may. */
  'allow.auto.create.topics'?: boolean
  /** Shared libraries to load. No effect. */
  'plugin.library.paths'?: string
  /** Functions that see every message. */
  interceptors?: any
  /** Backoff before a request is retried; doubles with each attempt, with jitter. */
  'retry.backoff.ms'?: number
  /** Longest backoff between retries. */
  'retry.backoff.max.ms'?: number
  /** Whether all addresses of a name are tried in turn, or only the first. */
  'client.dns.lookup'?: 'use_all_dns_ips' | 'resolve_canonical_bootstrap_servers_only'
  /** Pushes metrics to brokers that ask for them (KIP-714). */
  'enable.metrics.push'?: boolean
  /** Rack of this client, for fetching from the closest replica (KIP-392). */
  'client.rack'?: string
  /** Largest batch after decompression, in bytes: protects against decompression bombs. */
  'ottla.decompression.max.bytes'?: number
  /** How to connect to brokers: in clear text or with TLS, with or without SASL. */
  'security.protocol'?: 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl'
  /** Cipher suites by OpenSSL's names, separated by colons. Those of TLS 1.3 (`TLS_...`) keep their defaults unless some are named. */
  'ssl.cipher.suites'?: string
  /** Key exchange groups by OpenSSL's names, separated by colons: `X25519:P-256`. */
  'ssl.curves.list'?: string
  /** Signature algorithms by OpenSSL's names, separated by colons: `ECDSA+SHA256:RSA-PSS+SHA256`. */
  'ssl.sigalgs.list'?: string
  /** File with the client's private key (PEM); read again for each connection, like every file here. */
  'ssl.key.location'?: string
  /** Password of the private key. */
  'ssl.key.password'?: string
  /** The client's private key itself (PEM). */
  'ssl.key.pem'?: string
  /** Private key object. */
  ssl_key?: any
  /** File with the client's certificate (PEM), followed by its chain if the brokers need it. */
  'ssl.certificate.location'?: string
  /** The client's certificate itself (PEM). */
  'ssl.certificate.pem'?: string
  /** Certificate object. */
  ssl_certificate?: any
  /** File (PEM), or folder of files, with the authorities that brokers' certificates are checked against. Unset, or `probe`: those of the system and of Node.js. */
  'ssl.ca.location'?: string
  /** File (PEM), or folder of files, with the authorities of identity providers. Unset, or `probe`: those of the system and of Node.js. */
  'https.ca.location'?: string
  /** The authorities of identity providers themselves (PEM). */
  'https.ca.pem'?: string
  /** The authorities that brokers' certificates are checked against themselves (PEM). */
  'ssl.ca.pem'?: string
  /** Authority certificate object. */
  ssl_ca?: any
  /** Windows certificate stores. Node.js 22.15 and later reads those of the system by itself if `ssl.ca.location` is unset. No effect. */
  'ssl.ca.certificate.stores'?: string
  /** File with certificate revocation lists (PEM): of the issuer of the brokers' certificates, and of each authority above it. */
  'ssl.crl.location'?: string
  /** PKCS#12 file with the client's key and certificate. Authorities in it are trusted, too. */
  'ssl.keystore.location'?: string
  /** Password of the PKCS#12 file. */
  'ssl.keystore.password'?: string
  /** OpenSSL providers. No effect. */
  'ssl.providers'?: string
  /** OpenSSL engine. No effect. */
  'ssl.engine.location'?: string
  /** OpenSSL engine. No effect. */
  'ssl.engine.id'?: string
  /** OpenSSL engine data. */
  ssl_engine_callback_data?: any
  /** Whether to check brokers' certificates. Without the check, TLS does not protect against an active attacker. */
  'enable.ssl.certificate.verification'?: boolean
  /** Whether the broker's certificate must contain its host name. */
  'ssl.endpoint.identification.algorithm'?: 'none' | 'https'
  /** Checks brokers' certificates. */
  'ssl.certificate.verify_cb'?: any
  /** How to authenticate: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, or GSSAPI (with the package `kerberos`). */
  'sasl.mechanisms'?: string
  /** Kerberos name of the brokers' service. */
  'sasl.kerberos.service.name'?: string
  /** Kerberos name of this client, for `sasl.kerberos.kinit.cmd`. */
  'sasl.kerberos.principal'?: string
  /** Shell command that gets or renews the Kerberos ticket, run when the client is first used and at intervals. By default `kinit` with the keytab; with neither keytab nor command, an existing ticket is used. */
  'sasl.kerberos.kinit.cmd'?: string
  /** File with the Kerberos keys of this client (keytab). */
  'sasl.kerberos.keytab'?: string
  /** Time between two runs of `sasl.kerberos.kinit.cmd`, in ms; 0 runs it once only. */
  'sasl.kerberos.min.time.before.relogin'?: number
  /** User name for PLAIN and SCRAM. */
  'sasl.username'?: string
  /** Password for PLAIN and SCRAM. */
  'sasl.password'?: string
  /** With SCRAM, `sasl.username` is the id of a delegation token, and `sasl.password` its HMAC in base64: Java's `tokenauth`. */
  'ottla.sasl.scram.tokenauth'?: boolean
  /** Parameters, given to the token function. For unsecured tokens: `principal=alice lifeSeconds=3600 scope=a,b extension_NAME=x`, separated by spaces. With azure_imds: `query=resource=…`. */
  'sasl.oauthbearer.config'?: string
  /** Makes unsecured tokens; for development only. */
  'enable.sasl.oauthbearer.unsecure.jwt'?: boolean
  /** Token function. */
  oauthbearer_token_refresh_cb?: any
  /** Where tokens come from: the application, or an identity provider (oidc). */
  'sasl.oauthbearer.method'?: 'default' | 'oidc'
  /** Id of this client at the identity provider. */
  'sasl.oauthbearer.client.id'?: string
  /** Secret of this client at the identity provider. */
  'sasl.oauthbearer.client.secret'?: string
  /** Scope to request from the identity provider. */
  'sasl.oauthbearer.scope'?: string
  /** Extensions for the broker, `key=value` separated by commas. */
  'sasl.oauthbearer.extensions'?: string
  /** Where the identity provider issues tokens. */
  'sasl.oauthbearer.token.endpoint.url'?: string
  /** Claim that names the user. */
  'sasl.oauthbearer.sub.claim.name'?: string
  /** How tokens are requested from the identity provider. */
  'sasl.oauthbearer.grant.type'?: 'client_credentials' | 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  /** Signature of the assertion. */
  'sasl.oauthbearer.assertion.algorithm'?: 'RS256' | 'ES256'
  /** File with the private key that signs the assertion. */
  'sasl.oauthbearer.assertion.private.key.file'?: string
  /** Password of that key. */
  'sasl.oauthbearer.assertion.private.key.passphrase'?: string
  /** That key itself (PEM). */
  'sasl.oauthbearer.assertion.private.key.pem'?: string
  /** File with a ready assertion. */
  'sasl.oauthbearer.assertion.file'?: string
  /** Audience of the assertion. */
  'sasl.oauthbearer.assertion.claim.aud'?: string
  /** How long the assertion is valid, in seconds. */
  'sasl.oauthbearer.assertion.claim.exp.seconds'?: number
  /** Issuer of the assertion. */
  'sasl.oauthbearer.assertion.claim.iss'?: string
  /** Gives each assertion a unique id. */
  'sasl.oauthbearer.assertion.claim.jti.include'?: boolean
  /** How far in the past the assertion's validity begins, in seconds. */
  'sasl.oauthbearer.assertion.claim.nbf.seconds'?: number
  /** Subject of the assertion. */
  'sasl.oauthbearer.assertion.claim.sub'?: string
  /** File with further claims for the assertion. */
  'sasl.oauthbearer.assertion.jwt.template.file'?: string
  /** Tokens from the cloud's own identity service. */
  'sasl.oauthbearer.metadata.authentication.type'?: 'none' | 'azure_imds' | 'aws_iam'
  /** Brokers to connect to first, `host:port` separated by commas; the default port is 9092. The client learns the others from the cluster. */
  'bootstrap.servers'?: string
  /** Most produce requests in flight to one broker. With more than one, a retried batch may be overtaken, unless the producer is idempotent. */
  'max.in.flight'?: number
  /** How to authenticate: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, or GSSAPI (with the package `kerberos`). */
  'sasl.mechanism'?: string
  /** Id of this client at the identity provider. */
  'sasl.oauthbearer.client.credentials.client.id'?: string
  /** Secret of this client at the identity provider. */
  'sasl.oauthbearer.client.credentials.client.secret'?: string
  /** A pointer for callbacks. */
  opaque?: any
  /** `false` for no `event.*` events. */
  event_cb?: boolean
}

/** What producers take. */
export interface ProducerGlobalConfig extends GlobalConfig {
  /** Name under which transactions survive a restart of the producer, and by which older instances are fenced. */
  'transactional.id'?: string
  /** How long a transaction may stay open before the broker aborts it. */
  'transaction.timeout.ms'?: number
  /** Writes each message exactly once and in order, retries included. Needs acks=all and at most 5 requests in flight. */
  'enable.idempotence'?: boolean
  /** Makes a gap in the sequence of messages a fatal error. */
  'enable.gapless.guarantee'?: boolean
  /** Most messages accepted and not reported yet, over all topics; beyond it `produce` throws ERR__QUEUE_FULL. 0 for no limit. */
  'queue.buffering.max.messages'?: number
  /** The same limit in units of 1024 bytes. */
  'queue.buffering.max.kbytes'?: number
  /** How long a message may linger for a fuller batch, in ms. */
  'queue.buffering.max.ms'?: any
  /** How often a message is retried after a transient error; never beyond `message.timeout.ms`. */
  'message.send.max.retries'?: number
  /** Requests in flight from which the C library lets batches grow. Here a batch is sent when it is full or its linger is over. No effect. */
  'queue.buffering.backpressure.threshold'?: number
  /** How batches are compressed. */
  'compression.codec'?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'inherit'
  /** Most messages in a batch. */
  'batch.num.messages'?: number
  /** Largest batch in bytes, before compression. A larger message is sent in a batch of its own. */
  'batch.size'?: number
  /** Reports failures only. */
  'delivery.report.only.error'?: boolean
  /** Delivery reports. */
  dr_cb?: boolean | Function
  /** Delivery reports. */
  dr_msg_cb?: boolean
  /** How long messages without a key go to the same partition before another is chosen; 0 chooses for each message. Twice the linger unless set. */
  'sticky.partitioning.linger.ms'?: number
  /** Replicas that must have a batch before it counts as delivered: all in-sync ones (-1, all), the leader (1) or none (0). */
  'request.required.acks'?: number
  /** How long the broker may wait for the acknowledgements of its replicas. */
  'request.timeout.ms'?: number
  /** How long a message may take from `produce` to its report, retries included; 0 for no limit. */
  'message.timeout.ms'?: number
  /** Order of the queue. Always first in, first out here. No effect. */
  'queuing.strategy'?: 'fifo' | 'lifo'
  /** Offsets in reports. Always included here. No effect. */
  'produce.offset.report'?: boolean
  /** How a message without a partition gets one: consistent, consistent_random (CRC32 of the key), murmur2, murmur2_random (like Java), fnv1a, fnv1a_random (like Sarama), random. With `_random`, a message without a key goes to any partition. */
  partitioner?: string
  /** A partitioner of your own. */
  partitioner_cb?: any
  /** Order of the queue. */
  msg_order_cmp?: any
  /** How hard the codec tries: gzip 0 to 9, lz4 0 to 12, snappy 0; -1 is the codec's own default. */
  'compression.level'?: number
  /** `await send()` does not linger while nothing else is queued and no request to that broker is in flight: waiting would not fill the batch. */
  'ottla.linger.adaptive'?: boolean
  /** How long a message may linger for a fuller batch, in ms. */
  'linger.ms'?: any
  /** How often a message is retried after a transient error; never beyond `message.timeout.ms`. */
  retries?: number
  /** How batches are compressed. */
  'compression.type'?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Replicas that must have a batch before it counts as delivered: all in-sync ones (-1, all), the leader (1) or none (0). */
  acks?: number
  /** How long a message may take from `produce` to its report, retries included; 0 for no limit. */
  'delivery.timeout.ms'?: number
}

/** What consumers take. */
export interface ConsumerGlobalConfig extends GlobalConfig {
  /** Name of the group. Needed to subscribe and to commit. */
  'group.id'?: string
  /** Static name of this member: it keeps its partitions across a restart that is shorter than the session timeout (KIP-345). */
  'group.instance.id'?: string
  /** Strategies in order of preference: range, roundrobin, sticky, cooperative-sticky, or one from the option `assignors`. The group uses one that all members have. Members keep their partitions during a rebalance if every strategy listed supports it (cooperative-sticky). */
  'partition.assignment.strategy'?: string
  /** How long the group waits for a heartbeat before it removes the member. */
  'session.timeout.ms'?: number
  /** How often the member sends a heartbeat, whatever the application does. */
  'heartbeat.interval.ms'?: number
  /** Protocol type of classic groups. Always consumer here. No effect. */
  'group.protocol.type'?: string
  /** Group protocol: the classic one, or that of KIP-848. */
  'group.protocol'?: 'classic' | 'consumer'
  /** Assignor that the broker uses with group.protocol=consumer. */
  'group.remote.assignor'?: string
  /** How often the C library checks whether the coordinator moved. Here the error of a broker that no longer coordinates the group tells. No effect. */
  'coordinator.query.interval.ms'?: number
  /** How long the application may take between two polls before the member loses its partitions to others. */
  'max.poll.interval.ms'?: number
  /** Commits stored offsets at intervals, before partitions are revoked, and at close. */
  'enable.auto.commit'?: boolean
  /** How often stored offsets are committed; 0 switches it off. */
  'auto.commit.interval.ms'?: number
  /** Stores the offset of each message that is delivered, so that the next commit includes it. */
  'enable.auto.offset.store'?: boolean
  /** A partition is fetched while it has fewer messages than this in the queue. */
  'queued.min.messages'?: number
  /** Most fetched and decompressed data in the queue, over all partitions, in units of 1024 bytes. One fetch per broker may come on top. */
  'queued.max.messages.kbytes'?: number
  /** How long a broker may wait for `fetch.min.bytes`; for a ShareConsumer at most a second, and 100 ms while it has messages. */
  'fetch.wait.max.ms'?: number
  /** How long the C library pauses a partition whose queue is full. Here fetching resumes as soon as there is room. No effect. */
  'fetch.queue.backoff.ms'?: number
  /** Most bytes of one partition in one fetch. A larger message is still delivered. */
  'fetch.message.max.bytes'?: number
  /** Most bytes of one broker in one fetch; at least `message.max.bytes`. */
  'fetch.max.bytes'?: number
  /** Bytes that a broker waits for before it answers a fetch. */
  'fetch.min.bytes'?: number
  /** Backoff before a partition is fetched again after an error. */
  'fetch.error.backoff.ms'?: number
  /** Where offsets are kept. Always on the broker here. No effect. */
  'offset.store.method'?: 'none' | 'file' | 'broker'
  /** Whether to deliver messages of open and aborted transactions (read_uncommitted), or of committed ones only. */
  'isolation.level'?: 'read_uncommitted' | 'read_committed'
  /** Reports (`partition-stalled`) an assigned partition that no broker has answered for in this time, in ms, and a message that a handler has had for as long; 0 switches it off. */
  'ottla.partition.stall.ms'?: number
  /** Message callback. */
  consume_cb?: any
  /** Rebalance callback. */
  rebalance_cb?: boolean | Function
  /** Called for each commit. */
  offset_commit_cb?: boolean | Function
  /** Emits an event when the end of a partition is reached. */
  'enable.partition.eof'?: boolean
  /** Checks the checksum of every fetched batch. */
  'check.crcs'?: boolean
  /** Most messages that a share consumer may hold unacknowledged, prefetched ones included. */
  'max.poll.records'?: number
  /** Whether a share consumer accepts a message when the application asks for the next one (`implicit`), or only when it calls `acknowledge` (`explicit`). */
  'share.acknowledgement.mode'?: string
  /** Whether brokers may send a share consumer more than it asked for, up to whole batches (KIP-1206). */
  'ottla.share.acquire.mode'?: 'batch_optimized' | 'record_limit'
  /** For the C library's simple consumer; use `enable.auto.commit`. No effect. */
  'auto.commit.enable'?: boolean
  /** Where to begin if the group has no committed offset, or one that is gone: at the first message, after the last one, with an error, or at the first message of the last hour (`by_duration:PT1H`, KIP-1106), week (`by_duration:P7D`) and so on. */
  'auto.offset.reset'?: 'smallest' | 'earliest' | 'beginning' | 'largest' | 'latest' | 'end' | 'error'
  /** File for offsets. No effect. */
  'offset.store.path'?: string
  /** File for offsets. No effect. */
  'offset.store.sync.interval.ms'?: number
  /** Messages per call of a C callback. No effect. */
  'consume.callback.max.messages'?: number
  /** Most bytes of one partition in one fetch. A larger message is still delivered. */
  'max.partition.fetch.bytes'?: number
}

/** What the configuration of any topic takes. */
export interface TopicConfig {
  /** A pointer for callbacks. */
  opaque?: any
}

/** What the configuration of a producer's topics takes. */
export interface ProducerTopicConfig extends TopicConfig {
  /** Replicas that must have a batch before it counts as delivered: all in-sync ones (-1, all), the leader (1) or none (0). */
  'request.required.acks'?: number
  /** Replicas that must have a batch before it counts as delivered: all in-sync ones (-1, all), the leader (1) or none (0). */
  acks?: number
  /** How long the broker may wait for the acknowledgements of its replicas. */
  'request.timeout.ms'?: number
  /** How long a message may take from `produce` to its report, retries included; 0 for no limit. */
  'message.timeout.ms'?: number
  /** How long a message may take from `produce` to its report, retries included; 0 for no limit. */
  'delivery.timeout.ms'?: number
  /** Order of the queue. Always first in, first out here. No effect. */
  'queuing.strategy'?: 'fifo' | 'lifo'
  /** Offsets in reports. Always included here. No effect. */
  'produce.offset.report'?: boolean
  /** How a message without a partition gets one: consistent, consistent_random (CRC32 of the key), murmur2, murmur2_random (like Java), fnv1a, fnv1a_random (like Sarama), random. With `_random`, a message without a key goes to any partition. */
  partitioner?: string
  /** A partitioner of your own. */
  partitioner_cb?: any
  /** Order of the queue. */
  msg_order_cmp?: any
  /** How batches are compressed. */
  'compression.codec'?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'inherit'
  /** How batches are compressed. */
  'compression.type'?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** How hard the codec tries: gzip 0 to 9, lz4 0 to 12, snappy 0; -1 is the codec's own default. */
  'compression.level'?: number
}

/** What the configuration of a consumer's topics takes. */
export interface ConsumerTopicConfig extends TopicConfig {
  /** For the C library's simple consumer; use `enable.auto.commit`. No effect. */
  'auto.commit.enable'?: boolean
  /** Commits stored offsets at intervals, before partitions are revoked, and at close. */
  'enable.auto.commit'?: boolean
  /** How often stored offsets are committed; 0 switches it off. */
  'auto.commit.interval.ms'?: number
  /** Where to begin if the group has no committed offset, or one that is gone: at the first message, after the last one, with an error, or at the first message of the last hour (`by_duration:PT1H`, KIP-1106), week (`by_duration:P7D`) and so on. */
  'auto.offset.reset'?: 'smallest' | 'earliest' | 'beginning' | 'largest' | 'latest' | 'end' | 'error'
  /** File for offsets. No effect. */
  'offset.store.path'?: string
  /** File for offsets. No effect. */
  'offset.store.sync.interval.ms'?: number
  /** Where offsets are kept. Always on the broker here. No effect. */
  'offset.store.method'?: 'none' | 'file' | 'broker'
  /** Messages per call of a C callback. No effect. */
  'consume.callback.max.messages'?: number
}
