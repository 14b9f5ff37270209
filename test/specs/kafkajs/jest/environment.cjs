// Jest 25's environment for Node.js, with what Node.js has got since, and in which errors of Node.js itself are errors: tests
// have an `Error` of their own, and `error instanceof Error` would be false for what a socket or a codec reports.
'use strict'
const { types } = require('util')
const NodeEnvironment = require('jest-environment-node')

module.exports = class extends NodeEnvironment {
  async setup() {
    await super.setup()
    const { Error: inner } = this.global
    const isInstance = Function.prototype[Symbol.hasInstance]
    Object.defineProperty(inner, Symbol.hasInstance, {
      value(given) {
        return isInstance.call(this, given) || (this === inner && types.isNativeError(given))
      },
    })
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!(name in this.global)) this.global[name] = globalThis[name]
    }
    Object.assign(this.global, { Uint8Array, ArrayBuffer })
  }
}
