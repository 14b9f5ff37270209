// Makes the published declarations of an entry of what API Extractor rolled up: without the namespaces that modules were
// imported as, without the declarations that nothing exported leads to, and importing from an entry before it what that
// one declares already, since a class that is declared twice is two types.
import ts from 'typescript'

const NODE_TYPES = '/// <reference types="node" />'
const EXCLUDED = /^[ \t]*\/\* Excluded from this (release type|declaration).*\*\/\n/gm

/**
 * @typedef {object} Declarations
 * @property {string} text of the file
 * @property {string[]} forgotten what the public types refer to and nobody can import
 * @property {string[]} undocumented exports without a description
 * @property {string} report the public surface without descriptions, to be reviewed
 */

/**
 * @param {string} rolled text of API Extractor
 * @param {readonly { from: string, text: string }[]} before the entries of the package that are done already
 * @returns {Declarations}
 */
export function publishedDeclarations(rolled, before = []) {
  const text = withOwnNames(withoutNamespaces(rolled.replaceAll(EXCLUDED, '')))
  const elsewhere = declaredElsewhere(before)
  const kept = reachable(statementsOf(text), statement => elsewhere.has(keyOf(statement)))
  const imports = []
  const own = []
  const shared = new Set()
  for (const statement of kept) {
    const from = elsewhere.get(keyOf(statement))
    if (from === undefined) (statement.isImport ? imports : own).push(statement)
    else {
      const line = `import { ${statement.declares[0]} } from '${from}';`
      if (!imports.some(({ full }) => full === line)) imports.push({ full: line })
      // The same as there, by the same name.
      if (statement.isExported) shared.add(statement.declares[0])
    }
  }
  const exported = new Set(own.flatMap(({ exports }) => exports))
  // Another name for it will do: an enum that is exported as a constant, too, is declared under a name of its own.
  const aliased = new Set(kept.filter(({ isExported }) => isExported).flatMap(({ node }) => aliasOf(node)))
  const isPublic = ({ declares }) => declares.some(name => exported.has(name))
  const declared = own.filter(({ declares }) => declares.length > 0)
  const lines = [NODE_TYPES, ...imports.map(({ full }) => full)].join('\n')
  return {
    text: `${lines}\n\n${own.map(({ full }) => full).join('\n\n')}\n\nexport {${[...shared].map(name => ` ${name},`).join('')} }\n`.replace(
      '{ }',
      '{}',
    ),
    forgotten: declared
      .filter(each => !isPublic(each))
      .flatMap(({ declares }) => declares.filter(name => !aliased.has(name))),
    undocumented: undocumentedOf(declared.filter(isPublic)),
    report: own.map(({ node }) => printed(node)).join('\n\n'),
  }
}

/** `logLevel_2` of `type logLevel = logLevel_2`. */
function aliasOf(node) {
  if (!ts.isTypeAliasDeclaration(node) || node.typeParameters !== undefined) return []
  return ts.isTypeReferenceNode(node.type) && ts.isIdentifier(node.type.typeName) ? [node.type.typeName.text] : []
}

/** Declarations of one name are shown as one: it is enough that one of them has a description. */
function undocumentedOf(declared) {
  const documented = new Set(declared.filter(each => each.isDocumented).flatMap(({ declares }) => declares))
  return [...new Set(declared.flatMap(({ declares }) => declares))].filter(name => !documented.has(name))
}

/** A declaration, told by its name and how it reads where it is exported; an import is none. */
function keyOf({ isImport, declares, code, isExported }) {
  if (isImport || declares.length === 0) return null
  return `${declares[0]} ${isExported ? code : `export ${code}`}`
}

function declaredElsewhere(before) {
  const found = new Map()
  for (const { from, text } of before) {
    for (const each of statementsOf(text)) if (each.isExported && !each.isImport) found.set(keyOf(each), from)
  }
  return found
}

/** `topics.NewTopic` as `NewTopic`: modules are namespaces only for the code that imports them so. */
function withoutNamespaces(text) {
  const file = parsed(text)
  const modules = file.statements.filter(isImportedModule)
  const members = new Map(modules.map(node => [node.name.text, membersOf(node)]))
  const edits = modules.map(node => [node.getFullStart(), node.end, ''])
  const visit = node => {
    if (modules.includes(node)) return
    const name = ts.isQualifiedName(node) && ts.isIdentifier(node.left) ? members.get(node.left.text) : undefined
    const to = name?.get(node.right.text)
    if (to !== undefined) edits.push([node.getStart(file), node.end, to])
    else ts.forEachChild(node, visit)
  }
  visit(file)
  return edited(text, edits)
}

/** A namespace that only lists what a module exports; a program's own namespaces have declarations. */
function isImportedModule(node) {
  return (
    ts.isModuleDeclaration(node) && !isExportedDeclaration(node) && node.body.statements.every(ts.isExportDeclaration)
  )
}

/** @param {[from: number, to: number, by: string][]} edits */
function edited(text, edits) {
  return edits.sort(([a], [b]) => b - a).reduce((now, [from, to, by]) => now.slice(0, from) + by + now.slice(to), text)
}

/**
 * `export declare type Event` for `declare type Event_2` and `export { Event_2 as Event }`: API Extractor evades the names
 * of globals, but an editor would show the name that it made up. Where a global of that name is meant, it stays.
 */
function withOwnNames(text) {
  const file = parsed(text)
  const taken = new Set(file.statements.flatMap(node => [...declaredNames(node), ...referredTo(node)]))
  const names = new Map()
  const edits = []
  for (const node of file.statements.filter(ts.isExportDeclaration)) {
    const [one, ...more] = node.exportClause?.elements ?? []
    if (one?.propertyName === undefined || more.length > 0 || taken.has(one.name.text)) continue
    names.set(one.propertyName.text, one.name.text)
    edits.push([node.getFullStart(), node.end, ''])
  }
  const visit = node => {
    if (ts.isIdentifier(node) && names.has(node.text)) edits.push([node.getStart(file), node.end, names.get(node.text)])
    else if (!ts.isExportDeclaration(node)) ts.forEachChild(node, visit)
  }
  for (const node of file.statements) {
    visit(node)
    if (declaredNames(node).some(name => names.has(name)))
      edits.push([node.getStart(file), node.getStart(file), 'export '])
  }
  return edited(text, edits)
}

/** By the name in the namespace, the name outside. */
function membersOf({ body }) {
  const [list] = body.statements
  return new Map(list.exportClause.elements.map(each => [each.name.text, (each.propertyName ?? each.name).text]))
}

function parsed(text) {
  return ts.createSourceFile('rollup.d.ts', text, ts.ScriptTarget.Latest, true)
}

function statementsOf(text) {
  const file = parsed(text)
  return file.statements
    .filter(node => !isEmptyExport(node))
    .map(node => {
      const isExported = isExportedDeclaration(node)
      const declares = declaredNames(node)
      return {
        node,
        full: node.getFullText(file).replace(`${NODE_TYPES}\n`, '').trim(),
        code: node.getText(file),
        declares,
        exports: isExported ? declares : exportedNames(node),
        refersTo: referredTo(node),
        isImport: ts.isImportDeclaration(node),
        isExported,
        isDocumented: ts.getJSDocCommentsAndTags(node).length > 0,
      }
    })
}

function isEmptyExport(node) {
  return ts.isExportDeclaration(node) && node.exportClause?.elements?.length === 0
}

function isExportedDeclaration(node) {
  if (!ts.canHaveModifiers(node)) return false
  return (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
}

/** What `export { A as B, C }` exports, by the names of the file. */
function exportedNames(node) {
  if (!ts.isExportDeclaration(node) || node.exportClause === undefined) return []
  return node.exportClause.elements.map(each => (each.propertyName ?? each.name).text)
}

function declaredNames(node) {
  if (ts.isImportDeclaration(node)) return importedNames(node.importClause)
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.text)
  return node.name === undefined ? [] : [node.name.text]
}

function importedNames(clause) {
  const { name, namedBindings } = clause ?? {}
  if (namedBindings === undefined) return name === undefined ? [] : [name.text]
  if (ts.isNamespaceImport(namedBindings)) return [namedBindings.name.text]
  return namedBindings.elements.map(each => each.name.text)
}

/** The names that a statement refers to: not those of its members and parameters. */
function referredTo(node) {
  const found = new Set()
  const visit = each => {
    if (ts.isExportSpecifier(each)) found.add((each.propertyName ?? each.name).text)
    else if (ts.isIdentifier(each) && isReference(each)) found.add(each.text)
    else ts.forEachChild(each, visit)
  }
  visit(node)
  return found
}

function isReference(identifier) {
  const { parent } = identifier
  return parent.name !== identifier && !(ts.isQualifiedName(parent) && parent.right === identifier)
}

/** The statements that what is exported leads to, in their order; what is an `end` leads nowhere. */
function reachable(statements, isEnd) {
  const byName = new Map()
  for (const each of statements) {
    for (const name of each.declares) byName.set(name, [...(byName.get(name) ?? []), each])
  }
  const kept = new Set()
  const open = statements.filter(({ isExported, exports }) => isExported || exports.length > 0)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (kept.has(next)) continue
    kept.add(next)
    if (!isEnd(next)) for (const name of next.refersTo) open.push(...(byName.get(name) ?? []))
  }
  return statements.filter(each => kept.has(each))
}

function printed(node) {
  return ts.createPrinter({ removeComments: true }).printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
}
