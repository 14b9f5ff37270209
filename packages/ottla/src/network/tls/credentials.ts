import { messageOf } from '../../base/unknown-error.ts'
import type { CommonSettings } from '../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { checkNames, inlineMaterial, readMaterial, sameMaterial, type Material } from './material.ts'
import { checkAlgorithms, makeContext, type ReadyContext } from './secure-context.ts'

/**
 * The certificates, keys and authorities of one client. Files are read again for each connection, so that the next
 * connection uses rotated ones; a new context is made only if something has changed.
 */
export class TlsCredentials {
  readonly #settings: CommonSettings
  readonly #logger: Logger
  #material: Material | null = null
  #ready: ReadyContext | null = null
  #reading: Promise<ReadyContext> | null = null

  /** Throws KafkaError ERR__INVALID_ARG for errors that can be found without reading a file. */
  constructor(settings: CommonSettings, logger: Logger) {
    this.#settings = settings
    this.#logger = logger
    checkNames(settings)
    checkAlgorithms(settings)
    const inline = inlineMaterial(settings)
    if (inline === null) return
    try {
      makeContext(inline, settings)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      throw invalidArgument(error.message, error.cause)
    }
  }

  /** Rejects with KafkaError ERR__SSL that names the property, unless an earlier context can still be used. */
  current(): Promise<ReadyContext> {
    // Connections that open together share one reading.
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<ReadyContext> {
    try {
      const material = await readMaterial(this.#settings)
      if (this.#ready !== null && this.#material !== null && sameMaterial(material, this.#material)) return this.#ready
      const ready = makeContext(material, this.#settings)
      if (this.#ready !== null) this.#logger.info('SSLRELOAD', 'certificates or keys have changed: using the new ones')
      this.#material = material
      this.#ready = ready
      return ready
    } catch (error) {
      // A rotation may be half done: the new certificate is there, its key is not yet.
      if (this.#ready === null) throw error
      const why = messageOf(error)
      this.#logger.warning('SSLRELOAD', `${why}; still using what was read before`)
      return this.#ready
    }
  }
}
