import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Recording } from '@ottla/protocol'
import { Output } from '../terminal/output.ts'
import { integer } from '../terminal/parsers.ts'
import { DONE, note, type Terminal } from '../terminal/terminal.ts'
import { replayAsBroker } from './as-broker.ts'
import { replayAsClient } from './as-client.ts'
import { transcriptJson, transcriptLines } from './lines.ts'
import { readRecording } from './read.ts'
import { transcribe } from './transcript.ts'

interface ReplayOptions {
  readonly as?: 'broker' | 'client'
  readonly brokers?: string
  readonly json?: boolean
  readonly port: number
  readonly speed: number
}

export function addReplay(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  program
    .command('replay')
    .description('Show a recording of the wire, or play one of its sides')
    .argument('<file>', 'the recording, made by `ottla record` or by a client with the option `record`')
    .addOption(
      new Option('--as <side>', 'broker: answer a client as recorded; client: ask brokers as recorded').choices([
        'broker',
        'client',
      ]),
    )
    .option('-b, --brokers <list>', 'with --as client: the brokers to ask, without TLS and SASL: host:port,...')
    .option('--port <port>', 'with --as broker: port of the first broker; 0: free ports', integer(0, 65_535), 0)
    .option('--speed <factor>', 'with --as broker: how many times as fast as recorded; max: no delays', speed, 1)
    .option('-J, --json', 'print a line of JSON for each event, with all fields')
    .action(async (file: string, options: ReplayOptions) => {
      const recording = readRecording(file)
      exit(await play(recording, options, terminal))
    })
}

function play(recording: Recording, options: ReplayOptions, terminal: Terminal): Promise<number> {
  if (options.as === 'broker') return replayAsBroker(recording, options, terminal)
  if (options.as === 'client') return replayAsClient(recording, options.brokers, terminal)
  return print(recording, options, terminal)
}

/** Parser of --speed. */
function speed(value: string): number {
  if (value === 'max') return Infinity
  const factor = Number(value)
  if (value.trim() !== '' && factor > 0 && factor < Infinity) return factor
  throw new InvalidArgumentError('It must be a number above 0, or max.')
}

async function print(recording: Recording, options: ReplayOptions, terminal: Terminal): Promise<number> {
  const transcript = transcribe(recording)
  const lines = options.json === true ? transcriptJson(transcript) : transcriptLines(recording.header, transcript)
  const output = new Output(terminal.stdout)
  for (const line of lines) {
    output.write(`${line}\n`)
    await output.pace()
    if (output.closed) break
  }
  await output.end()
  if (recording.isCut) note(terminal, 'the last line of the recording is incomplete, it is left out')
  return DONE
}
