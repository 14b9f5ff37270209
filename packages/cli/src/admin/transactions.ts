import type { PartitionProducers, ProducerState, TransactionDescription, TransactionState } from 'ottla'
import { collect, integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parsePartition, parseProducerId } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'
import { timeText } from './display.ts'

interface ListOptions {
  readonly state: readonly string[]
  readonly longerThan?: number
  readonly pattern?: string
}

interface AbortOptions {
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly coordinatorEpoch?: number
  readonly startOffset?: number
}

type Producer = ProducerState & Pick<PartitionProducers, 'topic' | 'partition'>

export function addTransactions(admin: AdminContext): void {
  const transactions = subject(admin, 'transactions', 'List, describe and abort transactions')
  const filters = [
    option('--state <state>', 'Ongoing, Empty, CompleteCommit, ...; repeatable', collect, []),
    option('--longer-than <ms>', 'only transactions open for longer than this', integer(0)),
    option('--pattern <regex>', 'only matching transactional ids (Kafka 4.1)'),
  ]
  verb<ListOptions>(transactions, 'list', 'List all transactional ids', filters, async (session, options) => {
    const { longerThan, pattern } = options
    const client = await session.connect()
    const found = await client.listTransactions({
      ...session.limits,
      // The client checks the words.
      states: options.state as TransactionState[],
      ...(longerThan === undefined ? {} : { minDurationMs: longerThan }),
      ...(pattern === undefined ? {} : { transactionalIdPattern: pattern }),
    })
    const columns = [
      { title: 'transactional id', cell: t => t.transactionalId },
      { title: 'state', cell: t => t.state },
      { title: 'producer', cell: t => t.producerId, right: true },
      { title: 'coordinator', cell: t => t.coordinatorId, right: true },
    ] satisfies Column<(typeof found.transactions)[number]>[]
    session.emit(found, () => lines(found.transactions, columns, 'no transactional ids'))
    session.reportErrors(found.errors)
  })

  verb(
    transactions,
    'describe <ids...>',
    'Show what the coordinators know about transactional ids',
    [],
    async (session, _, ids) => {
      const client = await session.connect()
      session.table(await client.describeTransactions(ids, session.limits), descriptionColumns, 'no transactional ids')
    },
  )

  const replica = option('--broker <id>', 'ask this replica instead of the leader', integer(0))
  verb<{ broker?: number }>(
    transactions,
    'producers <partitions...>',
    'Show the active producers of partitions, written TOPIC:PARTITION',
    [replica],
    async (session, { broker }, list) => {
      const wanted = list.map(parsePartition)
      const client = await session.connect()
      const options = broker === undefined ? session.limits : { ...session.limits, brokerId: broker }
      const found = await client.describeProducers(wanted, options)
      session.emit(found, () => {
        const rows = found.flatMap(({ topic, partition, producers }) =>
          producers.map((p): Producer => ({ topic, partition, ...p })),
        )
        return lines(rows, producerColumns, 'no producers')
      })
      session.reportErrors(found.map(f => f.error))
    },
  )

  const abortOptions = [
    option('--start-offset <offset>', 'start of the transaction, as shown by `producers`', integer(0)),
    option('--producer-id <id>', 'instead of --start-offset, with --producer-epoch', parseProducerId),
    option('--producer-epoch <epoch>', 'epoch of the producer', integer(0)),
    option('--coordinator-epoch <epoch>', 'epoch of the coordinator; by default unknown', integer(0)),
  ]
  verb<AbortOptions>(
    transactions,
    'abort <partition>',
    'Abort, on one partition (TOPIC:PARTITION), a transaction that its coordinator has forgotten',
    abortOptions,
    async (session, options, [text = '']) => {
      const where = parsePartition(text)
      const { startOffset, producerId: id, producerEpoch, coordinatorEpoch } = options
      if ((startOffset === undefined) === (id === undefined)) {
        throw new UsageError('give --start-offset, or --producer-id with --producer-epoch')
      }
      if (id !== undefined && producerEpoch === undefined) throw new UsageError('--producer-id needs --producer-epoch')
      const client = await session.connect()
      const [found] = startOffset === undefined ? [] : await client.describeProducers([where], session.limits)
      if (found?.error !== undefined) throw found.error
      const open = found?.producers.find(p => p.currentTransactionStartOffset === startOffset)
      if (startOffset !== undefined && open === undefined) {
        throw new UsageError(`${text}: no open transaction begins at offset ${startOffset}`)
      }
      const producer = open ?? { producerId: id ?? -1n, producerEpoch: producerEpoch ?? -1, coordinatorEpoch }
      await client.abortTransaction(
        {
          ...where,
          producerId: producer.producerId,
          producerEpoch: producer.producerEpoch,
          coordinatorEpoch: producer.coordinatorEpoch ?? null,
        },
        session.limits,
      )
      const aborted = producer.producerId
      session.printResult(
        { ...where, producerId: aborted },
        `aborted the transaction of producer ${aborted} on ${text}`,
      )
    },
  )

  verb(
    transactions,
    'fence <ids...>',
    'Fence the producers with these transactional ids',
    [],
    async (session, _, ids) => {
      const client = await session.connect()
      const results = await client.fenceProducers(ids, session.limits)
      session.printResults(
        results,
        r => `${r.transactionalId} is at epoch ${r.producerEpoch} of producer ${r.producerId}`,
      )
    },
  )
}

const descriptionColumns: Column<TransactionDescription>[] = [
  { title: 'transactional id', cell: t => t.transactionalId },
  { title: 'state', cell: t => t.state },
  { title: 'producer', cell: t => t.producerId, right: true },
  { title: 'epoch', cell: t => t.producerEpoch, right: true },
  { title: 'coordinator', cell: t => t.coordinatorId, right: true },
  { title: 'timeout ms', cell: t => t.timeoutMs, right: true },
  { title: 'since', cell: t => timeText(t.startTimestamp) },
  { title: 'partitions', cell: t => t.partitions.map(p => `${p.topic}:${p.partition}`).join(' ') },
]

const producerColumns: Column<Producer>[] = [
  { title: 'topic', cell: p => p.topic },
  { title: 'partition', cell: p => p.partition, right: true },
  { title: 'producer', cell: p => p.producerId, right: true },
  { title: 'epoch', cell: p => p.producerEpoch, right: true },
  { title: 'coordinator epoch', cell: p => p.coordinatorEpoch ?? '-', right: true },
  { title: 'last sequence', cell: p => p.lastSequence, right: true },
  { title: 'last written', cell: p => timeText(p.lastTimestamp) },
  { title: 'open since offset', cell: p => p.currentTransactionStartOffset ?? '-', right: true },
]
