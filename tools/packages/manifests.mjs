// `npm run manifests [-- --check]`: what the package.json files of all packages have in common, and what follows from their
// entries, is written from here. What is left to them: name, version, description, entries (the condition @ottla/source),
// dependencies, programs.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packages, root, SOURCE } from './table.mjs'

/**
 * Where the project is published; the one place that says so. It is a stand-in: there is no such repository yet. Every
 * package.json and every link of a published README has it, so `npm run release` publishes only from a clone that has it
 * as a remote. See "Before the first release" in CONTRIBUTING.md.
 */
export const REPOSITORY = 'https://github.com/ottla/ottla'

const keywords = {
  protocol: ['kafka', 'protocol', 'wire', 'codec', 'record-batch', 'snappy', 'lz4', 'zstd'],
  ottla: ['kafka', 'client', 'producer', 'consumer', 'librdkafka', 'confluent', 'streaming', 'typescript', 'kip-848'],
  'schema-registry': ['kafka', 'schema-registry', 'avro', 'protobuf', 'json-schema', 'serdes', 'confluent', 'apicurio'],
  broker: ['kafka', 'broker', 'embedded', 'mock', 'test', 'testing', 'testcontainers', 'simulation'],
  cli: ['kafka', 'cli', 'kcat', 'producer', 'consumer', 'admin'],
  kafkajs: ['kafka', 'kafkajs', 'client', 'producer', 'consumer', 'admin', 'drop-in'],
  'node-rdkafka': ['kafka', 'node-rdkafka', 'librdkafka', 'client', 'producer', 'consumer', 'streams', 'drop-in'],
  opentelemetry: ['kafka', 'opentelemetry', 'tracing', 'metrics', 'instrumentation'],
  prometheus: ['kafka', 'prometheus', 'prom-client', 'metrics', 'grafana'],
  'kafka-javascript': [
    'kafka',
    'confluent',
    'kafka-javascript',
    'librdkafka',
    'client',
    'producer',
    'consumer',
    'drop-in',
  ],
}

/** The package.json that a package should have. */
export function wantedManifest({ folder, manifest, entries, programs }) {
  const room = basename(folder)
  const { name, version, description, bin, dependencies, optionalDependencies, peerDependencies } = manifest
  const others = entries.filter(({ subpath }) => subpath !== '.')
  const wanted = {
    name,
    version,
    description,
    keywords: keywords[room],
    homepage: `${REPOSITORY}/tree/main/packages/${room}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: 'git', url: `git+${REPOSITORY}.git`, directory: `packages/${room}` },
    license: 'Apache-2.0',
    author: 'the authors of ottla',
    type: 'module',
    engines: { node: '>=20.19' },
    bin,
    main: './dist/index.cjs',
    types: './dist/index.d.cts',
    exports: {
      ...Object.fromEntries(entries.map(entry => [entry.subpath, conditions(entry)])),
      './package.json': './package.json',
    },
    // For TypeScript's old resolution, which does not read `exports`.
    typesVersions:
      others.length === 0
        ? undefined
        : { '*': Object.fromEntries(others.map(({ output }) => [output, [`./dist/${output}.d.cts`]])) },
    files: [
      ...(bin === undefined ? [] : ['bin']),
      ...['cjs', 'js', 'd.cts', 'd.ts'].map(extension => `dist/*.${extension}`),
      ...['dist/esm', 'README.md', 'LICENSE'],
    ],
    sideEffects:
      bin === undefined
        ? false
        : ['./bin/*.js', ...programs.flatMap(name => [`./dist/${name}.cjs`, `./dist/esm/${name}.js`])],
    publishConfig: { access: 'public', provenance: true },
    dependencies,
    optionalDependencies,
    peerDependencies: { '@types/node': '>=20', ...peerDependencies },
    peerDependenciesMeta: { '@types/node': { optional: true }, ...manifest.peerDependenciesMeta },
  }
  return `${JSON.stringify(wanted, null, 2)}\n`
}

function conditions({ module, output }) {
  return {
    [SOURCE]: `./src/${module}.ts`,
    module: `./dist/esm/${module}.js`,
    import: { types: `./dist/${output}.d.ts`, default: `./dist/${output}.js` },
    require: { types: `./dist/${output}.d.cts`, default: `./dist/${output}.cjs` },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes('--check')
  for (const pkg of packages) {
    const path = join(pkg.folder, 'package.json')
    const wanted = wantedManifest(pkg)
    if (readFileSync(path, 'utf8') === wanted) continue
    if (isCheck) {
      console.error(`${path.slice(root.length + 1)} is not what \`npm run manifests\` writes`)
      process.exitCode = 1
    } else writeFileSync(path, wanted)
  }
}
