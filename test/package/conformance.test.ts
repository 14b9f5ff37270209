/** What has to work on every runtime works on this one; test/nightly has the others. */
import { test } from 'node:test'
import { conforms } from './conforming.ts'

test('everything works on the Node.js that runs the tests', () => conforms(process.execPath, []))
