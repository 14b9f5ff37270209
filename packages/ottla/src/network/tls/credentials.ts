import { messageOf } from '../../base/unknown-error.ts'
import type { CommonSettings } from '../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { checkNames, inlineMaterial, readMaterial, sameMaterial, type Material } from './material.ts'
import { checkAlgorithms, makeContext, type ReadyContext } from './secure-context.ts'

/**
 * The certificates, keys and authorities of one client. Files are read anew for each connection, so that what was
 * rotated is used by the next one; the context is made anew only if something has changed.
 */
export class TlsCredentials {
  readonly #settings: CommonSettings
  readonly #logger: Logger
  #material: Material | null = null
  #ready: ReadyContext | null = null
  #reading: Promise<ReadyContext> | null = null

  /** Throws KafkaError ERR__INVALID_ARG for what can be seen without reading a file. */
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

  /** Rejects with KafkaError ERR__SSL naming the property, while there is nothing from before that still serves. */
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
      if (this.#ready !== null)
        this.#logger.info('SSLRELOAD', 'certificates or keys have changed: the new ones are used')
      this.#material = material
      this.#ready = ready
      return ready
    } catch (error) {
      // Half of a rotation, perhaps: the new certificate is there and its key is not yet.
      if (this.#ready === null) throw error
      const why = messageOf(error)
      this.#logger.warning('SSLRELOAD', `${why}; what was read before is used`)
      return this.#ready
    }
  }
}
