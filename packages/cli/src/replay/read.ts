import { readFileSync } from 'node:fs'
import { parseRecording, type Recording } from '@ottla/protocol'
import { UsageError } from '../terminal/terminal.ts'

/**
 * Reads a recording from a file.
 * @throws UsageError if there is none
 */
export function readRecording(file: string): Recording {
  try {
    return parseRecording(readFileSync(file, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${file}: ${why}`)
  }
}
