/** A broker that takes logins by Amazon's AWS_MSK_IAM, whatever their signature, and then tells of itself and nothing else. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import {
  ApiVersionsServer,
  apis,
  DescribeClusterServer,
  encodeResponse,
  FrameSplitter,
  MetadataServer,
  Reader,
  readRequestHeader,
  SaslAuthenticateServer,
  SaslHandshakeServer,
  type RequestHeader,
} from '@ottla/protocol'
import { closed, opened } from './each-test/open-things.ts'

/** What a client has logged in with. */
export interface IamLogin {
  readonly action: string
  readonly host: string
  readonly credential: string
}

export interface IamBroker {
  readonly address: string
  readonly logins: readonly IamLogin[]
  close(): Promise<void>
}

const MECHANISM = 'AWS_MSK_IAM'
const HOST = '127.0.0.1'
/** What it answers; clients ask for nothing else. */
const known = [ApiVersionsServer, SaslHandshakeServer, SaslAuthenticateServer, MetadataServer, DescribeClusterServer]
const NOBODY = 33 // UNSUPPORTED_SASL_MECHANISM

export async function startIamBroker(): Promise<IamBroker> {
  const logins: IamLogin[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const splitter = new FrameSplitter(1e6)
    socket.on('data', chunk =>
      splitter.push(chunk, frame => {
        const reader = new Reader(frame)
        const header = readRequestHeader(reader, key => apis.find(api => api.key === key)?.flexibleFrom ?? 0x7fff)
        const { port } = server.address() as AddressInfo
        for (const part of answer(header, reader, port, logins)) socket.write(part)
      }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, HOST, resolve))
  const broker: IamBroker = {
    address: `${HOST}:${(server.address() as AddressInfo).port}`,
    logins,
    close: () => {
      for (const socket of sockets) socket.destroy()
      const ended = new Promise<void>(resolve => server.close(() => resolve()))
      closed(broker, ended)
      return ended
    },
  }
  opened(broker, 'IamBroker', () => broker.close())
  return broker
}

function answer(
  { apiKey, apiVersion: version, correlationId: id }: RequestHeader,
  reader: Reader,
  port: number,
  logins: IamLogin[],
): readonly Uint8Array[] {
  const brokers = [{ brokerId: 1, nodeId: 1, host: HOST, port, rack: null }]
  switch (apiKey) {
    case ApiVersionsServer.key: {
      const told = apis.filter(({ key }) => known.some(api => api.key === key))
      const apiKeys = told.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }))
      return encodeResponse(ApiVersionsServer, version, id, { errorCode: 0, apiKeys, throttleTimeMs: 0 })
    }
    case SaslHandshakeServer.key: {
      const { mechanism } = SaslHandshakeServer.readRequest(reader, version)
      const errorCode = mechanism === MECHANISM ? 0 : NOBODY
      return encodeResponse(SaslHandshakeServer, version, id, { errorCode, mechanisms: [MECHANISM] })
    }
    case SaslAuthenticateServer.key: {
      const { authBytes } = SaslAuthenticateServer.readRequest(reader, version)
      const { action, host, 'x-amz-credential': credential } = JSON.parse(String(authBytes)) as Record<string, string>
      logins.push({ action: String(action), host: String(host), credential: String(credential) })
      const granted = Buffer.from(JSON.stringify({ version: '2020_10_22', 'request-id': 'r-1' }))
      const body = { errorCode: 0, errorMessage: null, authBytes: granted, sessionLifetimeMs: 0 }
      return encodeResponse(SaslAuthenticateServer, version, id, body)
    }
    case MetadataServer.key:
      return encodeResponse(MetadataServer, version, id, { brokers, clusterId: 'iam', controllerId: 1, topics: [] })
    case DescribeClusterServer.key: {
      const body = { throttleTimeMs: 0, errorCode: 0, clusterId: 'iam', controllerId: 1, brokers }
      return encodeResponse(DescribeClusterServer, version, id, body)
    }
    default:
      throw new Error(`the broker does not know api ${apiKey}`)
  }
}
