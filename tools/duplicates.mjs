// Finds what was written twice in packages/*/src: more than ten lines that are the same, or of one shape with other names.
// Generated code is left out; so are types, fields and literal rows, which are lists and no logic.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { argv, exit, stdout } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sourceFiles } from './source-files.mjs'
import ts from 'typescript'

const MOST_LINES = 10

/** Broker and client keep Kafka's ACL words apart on purpose: a shared mistake would go unseen. */
const keptApart = [
  /^packages\/broker\/src\/(security\/acls|handlers\/operations)\.ts$/,
  /^packages\/ottla\/src\/admin\/acl-words\.ts$/,
]

/**
 * All pairs of places that repeat each other, the longest first.
 *
 * @param {string} root the repository, or one that looks like it
 * @returns {{ lines: number, places: [string, string], kind: 'same' | 'shape' }[]}
 */
export function duplicates(root) {
  const files = sourceFiles(root).map(path => ({ path: relative(root, path), ...linesOf(path) }))
  const same = repeats(
    files.map(({ path, same }) => ({ path, lines: same })),
    'same',
  )
  const shape = repeats(
    files.map(({ path, shape }) => ({ path, lines: shape })),
    'shape',
  )
  return [...same, ...shape.filter(pair => !same.some(other => overlaps(pair, other)))].sort(
    (a, b) => b.lines - a.lines,
  )
}

/** The lines that hold code, as their tokens: literally, and with every name replaced. */
function linesOf(path) {
  const text = readFileSync(path, 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const same = new Map()
  const shape = new Map()
  const visit = (node, inRow) => {
    if (isDeclarationOnly(node)) return
    const row = inRow || isRow(node)
    const children = node.getChildren(file)
    for (const child of children) visit(child, row && !(ts.isBlock(child) && !ts.isMethodDeclaration(node)))
    if (children.length > 0 || node.getWidth(file) === 0) return
    const token = node.getText(file)
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
    add(same, line, token)
    if (!row && token !== ',') add(shape, line, ts.isIdentifier(node) || ts.isPrivateIdentifier(node) ? '_' : token)
  }
  visit(file, false)
  return { same: inOrder(same), shape: inOrder(shape) }
}

function add(lines, line, token) {
  const tokens = lines.get(line)
  if (tokens === undefined) lines.set(line, [token])
  else tokens.push(token)
}

function inOrder(lines) {
  return [...lines].sort(([a], [b]) => a - b).map(([line, tokens]) => ({ line: line + 1, text: tokens.join(' ') }))
}

function isDeclarationOnly(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isJSDoc(node)) return true
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isModuleDeclaration(node)) return node.body?.statements?.every(isDeclarationOnly) === true
  return ts.isPropertyDeclaration(node) && (node.initializer === undefined || ts.isLiteralExpression(node.initializer))
}

/** One of many values in a table, an object or a facade: what it computes, if anything, is one expression. */
function isRow(node) {
  if (ts.isMethodDeclaration(node))
    return node.body?.statements.length === 1 && ts.isReturnStatement(node.body.statements[0])
  return ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node) || ts.isArrayLiteralExpression(node)
}

function repeats(files, kind) {
  const window = MOST_LINES + 1
  const places = new Map()
  files.forEach(({ lines }, file) => {
    for (let at = 0; at + window <= lines.length; at++) {
      const key = lines
        .slice(at, at + window)
        .map(({ text }) => text)
        .join('\n')
      places.set(key, [...(places.get(key) ?? []), { file, at }])
    }
  })
  const found = []
  const covered = new Set()
  for (const same of places.values()) {
    for (const [i, a] of same.entries()) {
      for (const b of same.slice(i + 1)) {
        const pair = pairAt(files, a, b, window, covered)
        if (pair !== null) found.push({ ...pair, kind })
      }
    }
  }
  return found
}

/** The whole repetition that begins here; null for one that has been found, or is kept on purpose. */
function pairAt(files, a, b, window, covered) {
  const [x, y] = [files[a.file], files[b.file]]
  const own = a.file === b.file
  if (own && b.at - a.at < window) return null
  if (keptApart[0].test(x.path) && keptApart[1].test(y.path)) return null
  const key = at => `${a.file} ${b.file} ${b.at - a.at} ${at}`
  if (covered.has(key(a.at))) return null
  let length = 0
  while (x.lines[a.at + length]?.text === y.lines[b.at + length]?.text && !(own && a.at + length >= b.at)) {
    if (x.lines[a.at + length] === undefined) break
    covered.add(key(a.at + length++))
  }
  const place = ({ path, lines }, at) => `${path}:${lines[at].line}-${lines[at + length - 1].line}`
  return { lines: length, places: [place(x, a.at), place(y, b.at)] }
}

function overlaps({ places }, other) {
  return places.every(
    (place, i) => place.split(':')[0] === other.places[i].split(':')[0] && touches(place, other.places[i]),
  )
}

function touches(a, b) {
  const [from, to] = range(a)
  const [first, last] = range(b)
  return from <= last && first <= to
}

function range(place) {
  return place.split(':')[1].split('-').map(Number)
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const found = duplicates(argv[2] ?? join(fileURLToPath(import.meta.url), '../..'))
  for (const { lines, places, kind } of found) {
    stdout.write(`${lines} lines, ${kind === 'same' ? 'the same' : 'of one shape'}: ${places.join('  ')}\n`)
  }
  if (found.length > 0) exit(1)
}
