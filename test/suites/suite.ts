/** A suite of somebody else's, which is run against the embedded cluster and against Kafka. */

/** What suites are run on. */
export type Ground = 'embedded' | 'kafka'

/** What a suite expects of the cluster. */
export interface Surroundings {
  readonly brokers: 1 | 3 | 5
  /** Whose tests look for a broker on this port of localhost, whatever they are told. */
  readonly port?: number
  /** Clients are told this port of localhost for the first broker, and the ones after it for the others. */
  readonly advertisedPort?: number
  /** The rack of a broker is its id with this before it. */
  readonly rackPrefix?: string
  /** Kafka's own keys, besides those of the harness. */
  readonly config?: Readonly<Record<string, string>>
}

/** An authorizer, and everybody may do what no ACL is about. */
export const withAuthorizer = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
} as const

/** What a suite is run on, once it is started. */
export interface RunningGround {
  /** `host:port`, as many as there are brokers; where they listen, whatever they tell clients. */
  readonly bootstrapServers: string
  /** An orderly shutdown of one of the brokers, whose ids begin with 1. */
  stopBroker(id: number): Promise<void>
  startBroker(id: number): Promise<void>
  /** What a broker has logged. */
  logOf(id: number): string
  close(): Promise<void>
}

export type Outcome = 'passed' | 'failed' | 'skipped'

/** By the test's full name. */
export type Outcomes = ReadonlyMap<string, Outcome>

export interface SuiteRun {
  /** A work tree of the client, for suites that no registry has. */
  readonly from: string | undefined
  /** Takes each line that the suite prints. */
  readonly log: (line: string) => void
}

export interface ForeignSuite {
  readonly name: string
  /** Of the client whose suite it is. */
  readonly version: string
  /** Where its source is had from. */
  readonly source: string
  readonly surroundings: Surroundings
  /** What of it is not run, and why. */
  readonly leftOut?: string
  /** Why a test that does not pass on the embedded cluster is none of its faults, by the beginning of the test's name. */
  readonly reasons: Readonly<Record<string, string>>
  run(ground: RunningGround, run: SuiteRun): Promise<Outcomes>
}
