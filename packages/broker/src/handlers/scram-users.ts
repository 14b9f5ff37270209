/** DescribeUserScramCredentials and AlterUserScramCredentials (KIP-554). */
import {
  AlterUserScramCredentialsServer,
  DescribeUserScramCredentialsServer,
  ErrorCode,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
  type Decoded,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import { MAX_ITERATIONS, MIN_ITERATIONS, salted, scramMechanisms } from '../security/sasl/scram-credential.ts'
import type { UserStore } from '../security/users.ts'

export const scramUserRoutes: readonly Route[] = [
  route(DescribeUserScramCredentialsServer, describe, ({ users }, errorCode) =>
    notDescribed(users, namedError(errorCode)),
  ),
  route(AlterUserScramCredentialsServer, alter, (request, errorCode) => ({
    throttleTimeMs: 0,
    results: namesIn(request).map(user => ({ user, ...namedError(errorCode) })),
  })),
]

type Described = DescribeUserScramCredentialsResponse['results'][number]

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}

function describe(
  { users }: Decoded<DescribeUserScramCredentialsRequest>,
  context: RequestContext,
  { logIn }: Pick<Stores, 'logIn'>,
): DescribeUserScramCredentialsResponse {
  if (!context.allows('describe', 'cluster', CLUSTER_NAME)) {
    return notDescribed(users, {
      errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: 'Cluster authorization failed.',
    })
  }
  const store = logIn.users
  const names = users === null || users.length === 0 ? [...store.scramUsers()] : users.map(({ name }) => name)
  const results = [...new Set(names)].map((user): Described => {
    const problem = (errorCode: number, why: string): Described => ({
      user,
      errorCode,
      errorMessage: `${why}: ${user}`,
      credentialInfos: [],
    })
    if (names.indexOf(user) !== names.lastIndexOf(user)) {
      const why = 'Cannot describe SCRAM credentials for the same user twice in a single request'
      return problem(ErrorCode.ERR_DUPLICATE_RESOURCE, why)
    }
    const credentialInfos = scramMechanisms.flatMap((mechanism, i) => {
      const credential = store.scram(user, mechanism)
      return credential === undefined ? [] : [{ mechanism: i + 1, iterations: credential.iterations }]
    })
    if (credentialInfos.length > 0) {
      return { user, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: '', credentialInfos }
    }
    return problem(ErrorCode.ERR_RESOURCE_NOT_FOUND, 'Attempt to describe a user credential that does not exist')
  })
  return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: '', results }
}

function notDescribed(
  users: Decoded<DescribeUserScramCredentialsRequest>['users'],
  problem: Problem,
): DescribeUserScramCredentialsResponse {
  const results = (users ?? []).map(({ name }) => ({ user: name, ...problem, credentialInfos: [] }))
  return { throttleTimeMs: 0, ...problem, results }
}

function namesIn({ deletions, upsertions }: Decoded<AlterUserScramCredentialsRequest>): string[] {
  return [...new Set([...deletions, ...upsertions].map(({ name }) => name))]
}

// A request may change each user once only, whatever the mechanism.
function alter(
  request: Decoded<AlterUserScramCredentialsRequest>,
  context: RequestContext,
  { logIn }: Pick<Stores, 'logIn'>,
): AlterUserScramCredentialsResponse {
  const store = logIn.users
  const { deletions, upsertions } = request
  const allowed = context.allows('alter', 'cluster', CLUSTER_NAME)
  const results = namesIn(request).map(user => {
    const own = deletions.filter(({ name }) => name === user)
    const others = upsertions.filter(({ name }) => name === user)
    const problem: Problem | null = allowed
      ? firstProblem([
          ...own.map(deletion => () => deletionProblem(deletion, store)),
          ...others.map(upsertion => () => upsertionProblem(upsertion)),
        ])
      : { errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Cluster authorization failed.' }
    if (problem !== null) return { user, ...problem }
    for (const { mechanism } of own) {
      const name = scramMechanisms[mechanism - 1]
      if (name !== undefined) store.deleteScram(user, name)
    }
    for (const { mechanism, saltedPassword, salt, iterations } of others) {
      const name = scramMechanisms[mechanism - 1]
      // A copy, because the decoded value shares memory with its frame.
      if (name !== undefined) store.setScram(user, name, salted(name, saltedPassword, Buffer.from(salt), iterations))
    }
    return { user, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null }
  })
  return { throttleTimeMs: 0, results }
}

// As Kafka does: what is wrong with the first change counts, then that there is a second one.
function firstProblem([first, second]: readonly (() => Problem | null)[]): Problem | null {
  const problem = first?.() ?? null
  if (problem !== null || second === undefined) return problem
  const errorMessage = 'A user credential cannot be altered twice in the same request'
  return { errorCode: ErrorCode.ERR_DUPLICATE_RESOURCE, errorMessage }
}

function problemOfUser({ name, mechanism }: Change): Problem | null {
  if (name === '') {
    return { errorCode: ErrorCode.ERR_UNACCEPTABLE_CREDENTIAL, errorMessage: 'Username must not be empty' }
  }
  if (scramMechanisms[mechanism - 1] !== undefined) return null
  return { errorCode: ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM, errorMessage: 'Unknown SCRAM mechanism' }
}

interface Change {
  readonly name: string
  readonly mechanism: number
}

function deletionProblem(deletion: Change, store: UserStore): Problem | null {
  const invalid = problemOfUser(deletion)
  if (invalid !== null) return invalid
  const { name, mechanism } = deletion
  const known = scramMechanisms[mechanism - 1]
  if (known !== undefined && store.scram(name, known) !== undefined) return null
  const errorMessage = 'Attempt to delete a user credential that does not exist'
  return { errorCode: ErrorCode.ERR_RESOURCE_NOT_FOUND, errorMessage }
}

function upsertionProblem(upsertion: Change & { readonly iterations: number }): Problem | null {
  const invalid = problemOfUser(upsertion)
  if (invalid !== null) return invalid
  const { iterations } = upsertion
  if (iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS) return null
  const errorMessage = iterations < MIN_ITERATIONS ? 'Too few iterations' : 'Too many iterations'
  return { errorCode: ErrorCode.ERR_UNACCEPTABLE_CREDENTIAL, errorMessage }
}
