/** What Jest has written with `--json --outputFile`. */
import { readFileSync } from 'node:fs'
import type { SpecTest } from './results.ts'

interface JestResults {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: SpecTest['status']
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** The tests of each file, by the file's path in the folder. */
export function jestTests(folder: string, output: string): Map<string, SpecTest[]> {
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as JestResults
  return new Map(
    testResults.map(({ name, message, assertionResults }) => [
      name.slice(folder.length + 1),
      assertionResults.length === 0
        ? [{ name: 'loads', status: 'failed', messages: [message] }]
        : assertionResults.map(({ fullName, status, failureMessages }) => ({
            name: fullName,
            status,
            messages: failureMessages,
          })),
    ]),
  )
}
