import {
  BatchWriter,
  ClusterNames,
  Conversation,
  codecByName,
  encodeRequest,
  encodeResponse,
  messageWords,
  type Api,
  type CodecName,
  type ServerApi,
} from '@ottla/protocol'

/** A frame without its size, as recordings hold it. */
export function frameOf(chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat(chunks).subarray(4)
}

/** One connection, told in words. */
export class Talk {
  readonly names = new ClusterNames()
  readonly #conversation = new Conversation()
  #correlationId = 11

  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Req): string {
    return this.told('request', frameOf(encodeRequest(api, version, ++this.#correlationId, 'alice', body)))
  }

  answer<Req, Res>(api: ServerApi<Req, Res>, version: number, body: Res): string {
    return this.told('response', frameOf(encodeResponse(api, version, this.#correlationId, body)))
  }

  told(kind: 'request' | 'response', frame: Buffer): string {
    const message = this.#conversation[kind](frame)
    if (message.api !== null) this.names.learn(message)
    return messageWords(message, this.names).join(' ')
  }
}

/** A batch of records with these values. */
export function batchOf(values: readonly string[], codec: CodecName = 'none', baseSequence = -1): Buffer {
  const writer = new BatchWriter()
  for (const value of values) {
    writer.append(`key of ${value}`, value, [{ key: 'trace', value: `header of ${value}` }], 1_700_000_000_000)
  }
  const producer = baseSequence < 0 ? {} : { producerId: 4000n, producerEpoch: 3, baseSequence }
  return Buffer.from(writer.seal({ codec: codecByName(codec), ...producer }))
}
