/** Balance first, then as few moves as possible, then nearness (KIP-54, KIP-881). */
import { addToGroup } from '../../../base/grouping.ts'
import type { TopicPartition } from '../../../types.ts'
import {
  compareMembers,
  compareText,
  emptyAssignment,
  subscribedTopics,
  type GroupAssignment,
  type GroupMember,
  type GroupTopic,
} from './assignor.ts'
import { isNear, racksMatter } from './racks.ts'

/** A partition while it is being assigned. */
interface Card {
  readonly topic: string
  readonly partition: number
  readonly layout: GroupTopic
  /** Who subscribed to its topic. */
  readonly audience: Audience
  /** Who had it before. */
  readonly owner: Seat | null
}

/** Members that subscribed to the same topics among those: places in the sorted list. */
interface Audience {
  readonly seats: readonly Seat[]
}

/** A member while partitions are being assigned. */
interface Seat {
  readonly member: GroupMember
  readonly hands: Map<Audience, Card[]>
  load: number
}

/**
 * Members keep what they had (`ownedPartitions`) as far as nobody else then has two partitions less that could have
 * been his. Of two members that claim the same partition the one of the newer generation had it; of the same
 * generation, neither.
 */
export function assignSticky(
  members: readonly GroupMember[],
  topics: ReadonlyMap<string, GroupTopic>,
): GroupAssignment {
  const seats: Seat[] = members.toSorted(compareMembers).map(member => ({ member, hands: new Map(), load: 0 }))
  const deck = shuffle(seats, topics)
  const subscribed = subscribedTopics(members).flatMap(topic => topics.get(topic) ?? [])
  const mindsRacks = racksMatter(members, subscribed)
  const nearby = (seat: Seat, card: Card): boolean => !mindsRacks || isNear(seat.member, card.layout, card.partition)

  let rest: Card[] = []
  for (const card of deck) {
    if (card.owner !== null && nearby(card.owner, card)) give(card, card.owner)
    else rest.push(card)
  }
  // Those that fewest can take come first.
  rest.sort(
    (a, b) =>
      a.audience.seats.length - b.audience.seats.length || compareText(a.topic, b.topic) || a.partition - b.partition,
  )
  if (mindsRacks) rest = dealNearby(rest, deck.length, seats.length, nearby)
  for (const card of rest) {
    const seat = leastLoaded(card.audience.seats)
    const { owner } = card
    give(card, owner !== null && owner.load <= seat.load ? owner : seat)
  }
  balance(seats, nearby)

  const assignment = emptyAssignment(members)
  for (const { member, hands } of seats) {
    const cards = [...hands.values()].flat()
    cards.sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
    assignment.set(
      member.memberId,
      cards.map(({ topic, partition }) => ({ topic, partition })),
    )
  }
  return assignment
}

/** All partitions that somebody subscribed to, with their owners so far. */
function shuffle(seats: readonly Seat[], topics: ReadonlyMap<string, GroupTopic>): Card[] {
  const owners = claims(seats)
  const audiences = new Map<string, Audience>()
  const deck: Card[] = []
  const subscribers = new Map<string, { seats: Seat[]; places: number[] }>()
  seats.forEach((seat, place) => {
    for (const topic of new Set(seat.member.topics)) {
      let entry = subscribers.get(topic)
      if (entry === undefined) {
        entry = { seats: [], places: [] }
        subscribers.set(topic, entry)
      }
      entry.seats.push(seat)
      entry.places.push(place)
    }
  })
  for (const [topic, entry] of subscribers) {
    const layout = topics.get(topic)
    if (layout === undefined) continue
    const key = entry.places.join()
    let audience = audiences.get(key)
    if (audience === undefined) {
      audience = { seats: entry.seats }
      audiences.set(key, audience)
    }
    for (let partition = 0; partition < layout.partitionCount; partition++) {
      const owner = owners.get(keyOf(topic, partition)) ?? null
      const mayKeep = owner !== null && entry.seats.includes(owner)
      deck.push({ topic, partition, layout, audience, owner: mayKeep ? owner : null })
    }
  }
  return deck
}

function claims(seats: readonly Seat[]): Map<string, Seat | null> {
  const owners = new Map<string, Seat | null>()
  const generations = new Map<string, number>()
  for (const seat of seats) {
    const { generationId } = seat.member
    for (const { topic, partition } of seat.member.ownedPartitions) {
      const key = keyOf(topic, partition)
      const other = generations.get(key)
      if (other !== undefined && other > generationId) continue
      owners.set(key, other === generationId && owners.get(key) !== seat ? null : seat)
      generations.set(key, generationId)
    }
  }
  return owners
}

/** Deals to members that are near, none beyond its share. @returns what nobody near could take */
function dealNearby(
  cards: readonly Card[],
  deckSize: number,
  seatCount: number,
  nearby: (seat: Seat, card: Card) => boolean,
): Card[] {
  const share = Math.ceil(deckSize / seatCount)
  const rest: Card[] = []
  for (const card of cards) {
    const near = card.audience.seats.filter(seat => seat.load < share && nearby(seat, card))
    if (near.length > 0) give(card, leastLoaded(near))
    else rest.push(card)
  }
  return rest
}

/**
 * Moves partitions from members that have two more than another that could take them, until there is none. From the
 * top, one at a time: whoever has most gives first, or others would give what need not have moved.
 */
function balance(seats: readonly Seat[], nearby: (seat: Seat, card: Card) => boolean): void {
  // Each move brings two loads closer together, so that this ends.
  for (let moved = true; moved;) {
    moved = false
    const most = seats.reduce((load, seat) => Math.max(load, seat.load), 0)
    for (let level = most; level >= 2; level--) {
      for (const seat of seats) if (seat.load === level && giveOneAway(seat, nearby)) moved = true
    }
  }
}

function giveOneAway(from: Seat, nearby: (seat: Seat, card: Card) => boolean): boolean {
  let least: Seat | undefined
  let hand: Card[] = []
  for (const [audience, cards] of from.hands) {
    if (cards.length === 0) continue
    const to = leastLoaded(audience.seats)
    if (least !== undefined && to.load >= least.load) continue
    least = to
    hand = cards
  }
  if (least === undefined || from.load - least.load < 2) return false
  const card = pick(hand, from, least, nearby)
  hand.splice(hand.indexOf(card), 1)
  from.load--
  give(card, least)
  return true
}

/** The partition whose move costs least: one that goes back, else one that was not `from`'s before, else a far one. */
function pick(cards: readonly Card[], from: Seat, to: Seat, nearby: (seat: Seat, card: Card) => boolean): Card {
  let best: Card | undefined
  let bestScore = -1
  for (const card of cards) {
    const score =
      (card.owner === to ? 8 : 0) +
      (card.owner === from ? 0 : 4) +
      (nearby(to, card) ? 2 : 0) +
      (nearby(from, card) ? 0 : 1)
    if (score > bestScore) {
      best = card
      bestScore = score
    }
  }
  if (best === undefined) throw new Error('there is no partition to move')
  return best
}

function give(card: Card, seat: Seat): void {
  addToGroup(seat.hands, card.audience, card)
  seat.load++
}

function leastLoaded(seats: readonly Seat[]): Seat {
  let least = seats[0]
  for (const seat of seats) if (least === undefined || seat.load < least.load) least = seat
  if (least === undefined) throw new Error('nobody subscribed')
  return least
}

function keyOf(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}

/**
 * What members may be given at once under COOPERATIVE: a partition that somebody else holds on to is left out, and
 * assigned when that member has given it up and the group rebalances once more (KIP-429).
 */
export function withoutMoving(
  members: readonly GroupMember[],
  assignment: ReadonlyMap<string, readonly TopicPartition[]>,
): GroupAssignment {
  const holders = new Map<string, Set<string>>()
  for (const { memberId, ownedPartitions } of members) {
    for (const { topic, partition } of ownedPartitions) {
      const key = keyOf(topic, partition)
      const set = holders.get(key)
      if (set === undefined) holders.set(key, new Set([memberId]))
      else set.add(memberId)
    }
  }
  const result: GroupAssignment = new Map()
  for (const { memberId } of members) {
    const partitions = assignment.get(memberId) ?? []
    result.set(
      memberId,
      partitions.filter(({ topic, partition }) => {
        const holding = holders.get(keyOf(topic, partition))
        return holding === undefined || (holding.size === 1 && holding.has(memberId))
      }),
    )
  }
  return result
}
