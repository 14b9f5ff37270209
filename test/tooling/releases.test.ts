import assert from 'node:assert/strict'
import { test } from 'node:test'

interface Facts {
  version: string
  changelog: string
  repository: string
  remotes: string[]
  isClean: boolean
}

// A tool of the project: it has no types.
const { whyNotReady } = (await import(new URL('../../tools/packages/readiness.mjs', import.meta.url).href)) as {
  whyNotReady: (facts: Facts) => string[]
}

const ready: Facts = {
  version: '0.2.0',
  changelog: '# Changelog\n\n## 0.2.0 (2027-01-31)\n\n## 0.1.0 (2027-01-01)\n',
  repository: 'https://github.com/ottla/ottla',
  remotes: ['https://github.com/ottla/ottla.git'],
  isClean: true,
}

test('a dated, committed version of a clone of the repository is ready', () => {
  assert.deepEqual(whyNotReady(ready), [])
})

test('the repository is recognised however git is told of it', () => {
  const addresses = [
    'git@github.com:ottla/ottla.git',
    'ssh://git@github.com/ottla/ottla',
    'https://someone@github.com/Ottla/ottla/',
  ]
  for (const address of addresses) {
    assert.deepEqual(whyNotReady({ ...ready, remotes: ['/somewhere/else', address] }), [], address)
  }
})

test('a clone of anything else is not: the address in the packages may be a stand-in', () => {
  for (const remotes of [[], ['https://github.com/ottla/ottla-docs'], ['git@git.example:ottla/ottla.git']]) {
    const [why = '', ...more] = whyNotReady({ ...ready, remotes })
    assert.match(why, /come from https:\/\/github\.com\/ottla\/ottla, and no remote of this clone is that/)
    assert.deepEqual(more, [])
  }
})

test('a version without a date, another version, and what is not committed are not', () => {
  const [undated = ''] = whyNotReady({ ...ready, changelog: '# Changelog\n\n## 0.2.0 (unreleased)\n' })
  assert.match(undated, /no date/)
  const [other = ''] = whyNotReady({ ...ready, version: '0.3.0' })
  assert.match(other, /begins with ## 0\.2\.0 \(2027-01-31\), not 0\.3\.0/)
  assert.deepEqual(whyNotReady({ ...ready, isClean: false }), ['there are changes that are not committed'])
})
