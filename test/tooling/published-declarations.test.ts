import assert from 'node:assert/strict'
import { test } from 'node:test'

interface Declarations {
  text: string
  forgotten: string[]
  undocumented: string[]
  report: string
}

// The tools are plain JavaScript: they run before anything is built.
const { publishedDeclarations } = (await import(new URL('../../tools/packages/rollup.mjs', import.meta.url).href)) as {
  publishedDeclarations: (rolled: string, before?: { from: string; text: string }[]) => Declarations
}
const { toCommonJs, reexport } = (await import(new URL('../../tools/packages/commonjs.mjs', import.meta.url).href)) as {
  toCommonJs: (code: string, file: string) => string
  reexport: (names: string[], from: string) => string
}

test('declarations that no export leads to are left out, and their imports with them', () => {
  const { text, forgotten } = publishedDeclarations(`import { Reader } from '@ottla/protocol';
import { Writer } from '@ottla/protocol';
/** Inside. */
declare interface Hidden { reader: Reader; }
/** Outside. */
export declare interface Shown { writer: Writer; }
export { }
`)
  assert.match(text, /^\/\/\/ <reference types="node" \/>\nimport \{ Writer \} from '@ottla\/protocol';\n\n/)
  assert.match(text, /\/\*\* Outside\. \*\/\nexport declare interface Shown/)
  assert.doesNotMatch(text, /Hidden|Reader/)
  assert.deepEqual(forgotten, [])
})

test('what a public type refers to and nobody can import is named, with what has no description', () => {
  const { forgotten, undocumented } = publishedDeclarations(`
declare type Options = { a: number };
declare type Event_2 = string;
export { Event_2 as Event };
export declare function open(options: Options): void;
`)
  assert.deepEqual(forgotten, ['Options'])
  assert.deepEqual(undocumented, ['Event', 'open'])
})

test('an enum that has another name outside is not forgotten, and described once', () => {
  const { forgotten, undocumented } = publishedDeclarations(`
declare enum Level_2 { LOW = 0 }
/** How much. */
export declare const Level: typeof Level_2;
export declare type Level = Level_2;
export declare type Both<T> = Hidden<T>;
declare type Hidden<T> = T;
`)
  assert.deepEqual(forgotten, ['Hidden'])
  assert.deepEqual(undocumented, ['Both'])
})

test('members that are internal leave no trace', () => {
  const { text } = publishedDeclarations(`/** It. */
export declare class It {
    /* Excluded from this release type: [handle] */
    /** Does. */
    does(): void;
}
`)
  assert.match(text, /class It \{\n {4}\/\*\* Does\. \*\/\n/)
})

test('namespaces of modules are resolved', () => {
  const { text } = publishedDeclarations(`
/** A topic. */
export declare interface NewTopic { name: string; }
declare function create(): NewTopic;
declare namespace topics { export { create, NewTopic, NewTopic as Topic } }
/** Creates. */
export declare function createTopics(all: readonly topics.Topic[]): topics.NewTopic;
`)
  assert.match(text, /createTopics\(all: readonly NewTopic\[\]\): NewTopic;/)
  assert.doesNotMatch(text, /namespace|declare function create\(/)
})

test('what an entry before declares is imported from it', () => {
  const shared = '/** A cluster. */\nexport declare class Cluster {\n    #private;\n}\n'
  const before = [{ from: './index.cjs', text: publishedDeclarations(shared).text }]
  const own = `${shared.replace('export ', '')}\n/** Starts. */\nexport declare function start(): Cluster;\n`
  const { text, forgotten } = publishedDeclarations(own, before)
  assert.match(text, /import \{ Cluster \} from '\.\/index\.cjs';/)
  assert.doesNotMatch(text, /class Cluster/)
  assert.deepEqual(forgotten, [])
})

test('the report has every export, without descriptions', () => {
  const { report } = publishedDeclarations(
    '/** It. */\nexport declare interface It {\n    /** A field. */\n    a: number;\n}\n',
  )
  assert.equal(report, 'export declare interface It {\n    a: number;\n}')
})

test("esbuild's ES modules become CommonJS with what is imported in variables", () => {
  const code = `import { A, B as B2 } from "@ottla/protocol";
import * as net from "node:net";
import fs from "node:fs";
import {
  shared
} from "./chunk-ABC.js";
import "./chunk-DEF.js";
var it = A + B2;
export {
  it,
  shared as other
};
`
  assert.equal(
    toCommonJs(code, 'it.js'),
    `"use strict";
const { A, B: B2 } = require("@ottla/protocol");
const net = require("node:net");
const fs = require("node:fs");
const {
  shared
} = require("./chunk-ABC.cjs");
require("./chunk-DEF.cjs");
var it = A + B2;
exports.it = it;
exports.other = shared;
`,
  )
})

test('what cannot be converted is refused', () => {
  assert.throws(() => toCommonJs('import some from "somebody";\n', 'it.js'), /it\.js: cannot convert/)
  assert.throws(() => toCommonJs('export default 1;\n', 'it.js'), SyntaxError)
})

test('an ES module re-exports by name', () => {
  assert.equal(reexport(['A', 'B'], './it.cjs'), "export {\n  A,\n  B,\n} from './it.cjs'\n")
})

test('exports have their own names, not those that evade globals', () => {
  const rolled = `
/** One. */
declare type Event_2 = { type: 'a' };
export { Event_2 as Event }
/** Hears one. */
export declare type Listener = (event: Event_2) => void;
/** Another. */
declare type Error_2 = Error;
export { Error_2 as Error }
`
  const { text, forgotten, undocumented } = publishedDeclarations(rolled)
  assert.match(text, /\/\*\* One\. \*\/\nexport declare type Event = \{/)
  assert.match(text, /\(event: Event\) => void/)
  assert.match(text, /\ndeclare type Error_2 = Error;\n\nexport \{ Error_2 as Error \}/)
  assert.deepEqual([forgotten, undocumented], [[], []])
})
