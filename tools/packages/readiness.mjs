// Why a release cannot be published yet. Pure.

const UNRELEASED = ' (unreleased)'

/**
 * @param {object} facts
 * @param {string} facts.version of the packages
 * @param {string} facts.changelog text of CHANGELOG.md
 * @param {string} facts.repository where the packages say that they come from
 * @param {readonly string[]} facts.remotes addresses of this clone's remotes
 * @param {boolean} facts.isClean whether everything is committed
 * @returns {string[]} sentences; none if it can be published
 */
export function whyNotReady({ version, changelog, repository, remotes, isClean }) {
  const reasons = []
  const heading = /^## .*$/m.exec(changelog)?.[0]
  if (heading?.endsWith(UNRELEASED)) reasons.push('CHANGELOG.md has no date for it: npm run release -- --version')
  else if (!heading?.startsWith(`## ${version} `)) reasons.push(`CHANGELOG.md begins with ${heading}, not ${version}`)
  if (!isClean) reasons.push('there are changes that are not committed')
  if (!remotes.some(remote => locationOf(remote) === locationOf(repository))) {
    reasons.push(
      `the packages say that they come from ${repository}, and no remote of this clone is that: ` +
        'see "Before the first release" in CONTRIBUTING.md',
    )
  }
  return reasons
}

/** `github.com/ottla/ottla`, however git is told of it: `git@github.com:ottla/ottla.git`, `https://…`, `ssh://…`. */
function locationOf(address) {
  return address
    .replace(/^[\w+.-]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^:/]+):(?!\d+\/)/, '$1/')
    .replace(/(\.git)?\/?$/, '')
    .toLowerCase()
}
