/** Programs written against kafkajs's declarations compile unchanged against ours: the same files, both ways. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const compiler = fileURLToPath(new URL('../../../node_modules/typescript-native/bin/tsc', import.meta.url))

for (const name of ['kafkajs', 'facade']) {
  test(`they compile against ${name === 'kafkajs' ? "kafkajs's declarations" : 'ours'}`, async () => {
    const project = fileURLToPath(new URL(`programs/${name}.tsconfig.json`, import.meta.url))
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, [compiler, '-p', project], (error, stdout) => {
        // A compiler that found errors has an exit code; anything else did not run.
        if (error !== null && typeof error.code !== 'number') reject(new Error('it did not run', { cause: error }))
        else resolve(stdout)
      })
    })
    assert.equal(output, '')
  })
}
