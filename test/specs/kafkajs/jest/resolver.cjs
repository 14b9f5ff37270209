// Finds the modules that kafkajs's specs load; with SPECS_CLIENT=facade, those of its public API are the facade's. Jest
// loads this, as everything in this folder. `original:PATH` is a file of the checkout, whatever stands in for it.
'use strict'
const { join, relative, sep } = require('path')
const { fileName, standIns } = require('./stand-ins.cjs')

const { SPECS_CHECKOUT: checkout, SPECS_SCRATCH: scratch, SPECS_FACADE: facade, SPECS_CLIENT: client } = process.env

module.exports = (request, options) => {
  if (request.startsWith('original:')) return join(checkout, request.slice('original:'.length))
  if (request === 'the-facade') return facade
  const found = options.defaultResolver(request, options)
  const path = relative(checkout, found).split(sep).join('/')
  if (path === 'testHelpers/index.js') return join(__dirname, 'test-helpers.cjs')
  return client === 'facade' && Object.hasOwn(standIns, path) ? join(scratch, 'stand-ins', fileName(path)) : found
}
