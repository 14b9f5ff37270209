/** kcat's mode letters and the commands that stand for them. */
const modes: ReadonlyMap<string, string> = new Map([
  ['-P', 'produce'],
  ['-C', 'consume'],
  ['-L', 'meta'],
  ['-Q', 'query'],
])

/**
 * Turns kcat's command line into one of ours: `ottla -b HOST:PORT -L` is `ottla meta -b HOST:PORT`, and `-G GROUP` is
 * `ottla consume -G GROUP`. Arguments that begin with a command stay as they are.
 */
export function fromKcat(args: readonly string[]): readonly string[] {
  if (args[0]?.startsWith('-') !== true) return args
  const at = args.findIndex(arg => modes.has(arg))
  const mode = modes.get(args[at] ?? '')
  if (mode !== undefined) return [mode, ...args.slice(0, at), ...args.slice(at + 1)]
  return args.includes('-G') ? ['consume', ...args] : args
}
