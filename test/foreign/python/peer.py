"""librdkafka, as the confluent-kafka wheel has it, told what to do line by line (see ../peer.ts)."""
import json
import sys
import threading
import time

from confluent_kafka import (
    Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, ShareConsumer, TopicPartition, libversion,
)
from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, AlterConfigOpType, ConfigEntry,
    ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourcePatternType, ResourceType,
)

SERVERS = {'bootstrap.servers': sys.argv[1]}
WAIT = 20
members = {}


def client_of(order):
    """What all clients of an order may be given."""
    return {**SERVERS, 'client.id': order['client']} if 'client' in order else SERVERS


def read(message):
    header = dict(message.headers() or []).get('h', b'')
    return ' '.join(part.decode() for part in (message.key() or b'', message.value(), header)).strip()


def polled(consumer, timeout):
    message = consumer.poll(timeout)
    if message is None:
        return None
    if message.error():
        raise KafkaException(message.error())
    return message


class Member:
    def __init__(self, order):
        config = {**client_of(order), 'group.id': order['group'], 'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 200}
        if order['protocol'] == 'consumer':
            config.update({'group.protocol': 'consumer', 'group.remote.assignor': order['assignor']})
        else:
            config.update({'partition.assignment.strategy': order['assignor'], 'heartbeat.interval.ms': 100})
        if 'instance' in order:
            config['group.instance.id'] = order['instance']
        self.moves = []
        self.consumer = Consumer(config)
        self.consumer.subscribe([order['topic']], on_assign=self.moved('assign'), on_revoke=self.moved('revoke'),
                                on_lost=self.moved('lost'))
        self.values = []
        self.assigned = []
        self.error = None
        self.left = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def moved(self, kind):
        """Notes which partitions came or went, and when (ms since the epoch)."""
        return lambda _, partitions: self.moves.append(
            {'type': kind, 'partitions': sorted(at.partition for at in partitions), 'at': int(time.time() * 1000)})

    def run(self):
        while not self.left.is_set():
            try:
                message = polled(self.consumer, 0.05)
                # Asked by this thread only: assignment() keeps the interpreter's lock, which poll needs for rebalances.
                self.assigned = sorted(at.partition for at in self.consumer.assignment())
                if message is not None:
                    self.values.append(message.value().decode())
            except KafkaException as error:
                self.error = str(error)

    def leave(self):
        self.left.set()
        self.thread.join()
        self.consumer.close()
        return {'values': self.values, 'moves': self.moves}


class Sharer:
    def __init__(self, order):
        self.consumer = ShareConsumer({**client_of(order), 'group.id': order['group']})
        self.consumer.subscribe([order['topic']])
        self.values = []
        self.error = None
        self.left = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.left.is_set():
            try:
                for message in self.consumer.poll(0.1):
                    if message.error():
                        raise KafkaException(message.error())
                    self.values.append(message.value().decode())
            except KafkaException as error:
                self.error = str(error)

    def leave(self):
        self.left.set()
        self.thread.join()
        self.consumer.close()


def send(producer, topic, values, **more):
    failures = []
    for value in values:
        producer.produce(topic, key='k' + value, value=value, headers={'h': 'x' + value},
                         on_delivery=lambda error, _: failures.append(str(error)) if error else None, **more)
    if producer.flush(WAIT) > 0:
        raise RuntimeError('not all were delivered in time')
    if failures:
        raise RuntimeError(failures[0])


def produce(order):
    settings = {'compression.type': order['codec'], 'enable.idempotence': order['idempotence']}
    producer = Producer({**client_of(order), **settings})
    send(producer, order['topic'], order['values'])
    time.sleep(order.get('restMs', 0) / 1000)


def consume(order):
    consumer = Consumer({**SERVERS, 'group.id': 'none', 'enable.auto.commit': False, 'check.crcs': True,
                         'isolation.level': order['isolation'], 'auto.offset.reset': 'earliest'})
    partitions = consumer.list_topics(order['topic'], WAIT).topics[order['topic']].partitions
    ends = {p: consumer.get_watermark_offsets(TopicPartition(order['topic'], p), WAIT)[1] for p in partitions}
    consumer.assign([TopicPartition(order['topic'], p, 0) for p in partitions])
    read_values = []
    def behind():
        return any(max(0, at.offset) < ends[at.partition] for at in consumer.position(consumer.assignment()))
    idle = 0
    while behind() and idle < WAIT * 10:
        message = polled(consumer, 0.1)
        if message is None:
            idle += 1
        else:
            idle = 0
            read_values.append(read(message))
            # Control batches move the position by themselves, but only in the next poll.
    consumer.close()
    return sorted(read_values)


def join(order):
    members[order['member']] = Member(order)


def share(order):
    members[order['member']] = Sharer(order)


def assignment(order):
    member = members[order['member']]
    if member.error:
        raise RuntimeError(member.error)
    return member.assigned


def received(order):
    return list(members[order['member']].values)


def leave(order):
    return members.pop(order['member']).leave()


def transactional(order):
    producer = Producer({**SERVERS, 'transactional.id': order['id'], 'compression.type': 'lz4'})
    producer.init_transactions(WAIT)
    return producer


def end(producer, commit):
    if commit:
        producer.commit_transaction(WAIT)
    else:
        producer.abort_transaction(WAIT)


def transaction(order):
    producer = transactional(order)
    for values, commit in order['transactions']:
        producer.begin_transaction()
        send(producer, order['topic'], values)
        end(producer, commit)


def transform(order):
    producer = transactional(order)
    consumer = Consumer({**SERVERS, 'group.id': order['group'], 'enable.auto.commit': False, 'auto.offset.reset': 'earliest',
                         'isolation.level': 'read_committed', 'heartbeat.interval.ms': 100})
    consumer.subscribe([order['from']])
    for commit in order['commits']:
        producer.begin_transaction()
        for _ in range(order['count']):
            message = None
            while message is None:
                message = polled(consumer, 1)
            producer.produce(order['to'], message.value().decode().upper())
        producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), WAIT)
        end(producer, commit)
        if not commit:
            for at in consumer.committed(consumer.assignment(), WAIT):
                consumer.seek(TopicPartition(at.topic, at.partition, max(0, at.offset)))
    consumer.close()


def zombie(order):
    first = transactional(order)
    first.begin_transaction()
    send(first, order['topic'], ['from the dead'])
    second = transactional(order)
    try:
        first.commit_transaction(WAIT)
    except KafkaException as error:
        second.begin_transaction()
        send(second, order['topic'], ['alive'])
        second.commit_transaction(WAIT)
        return error.args[0].name()
    return 'nothing'


admin = AdminClient(SERVERS)


def each(futures):
    """The only result of what the admin calls return: one future for each thing asked."""
    if hasattr(futures, 'result'):
        return futures.result(WAIT)
    return [future.result(WAIT) for future in futures.values()][0]


def topic_resource(order):
    return ConfigResource(ResourceType.TOPIC, order['topic'])


def config(order):
    return each(admin.describe_configs([topic_resource(order)]))[order['name']].value


def set_config(order):
    resource = topic_resource(order)
    resource.add_incremental_config(ConfigEntry(order['name'], order['value'], incremental_operation=AlterConfigOpType.SET))
    each(admin.incremental_alter_configs([resource]))


def delete_records(order):
    return each(admin.delete_records([TopicPartition(order['topic'], order['partition'], order['offset'])])).low_watermark


def list_offsets(order):
    at = TopicPartition(order['topic'], order['partition'])
    return [each(admin.list_offsets({at: spec})).offset for spec in (OffsetSpec.earliest(), OffsetSpec.latest())]


def group(order):
    it = each(admin.describe_consumer_groups([order['group']]))
    return {'state': it.state.name.lower().replace('_', ''), 'members': len(it.members)}


def offsets(order):
    found = each(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(order['group'])])).topic_partitions
    return {f'{at.topic} {at.partition}': at.offset for at in found}


def set_offsets(order):
    at = TopicPartition(order['topic'], order['partition'], order['offset'])
    each(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(order['group'], [at])]))


def acl(kind, order, operation=AclOperation.READ):
    return kind(ResourceType.TOPIC, order['topic'], ResourcePatternType.LITERAL, 'User:alice' if kind is AclBinding else None,
                '*' if kind is AclBinding else None, operation, AclPermissionType.ALLOW)


def matching(order):
    return acl(AclBindingFilter, order, AclOperation.ANY)


orders = {
    'version': lambda order: libversion()[0],
    'produce': produce, 'consume': consume,
    'join': join, 'share': share, 'assignment': assignment, 'received': received, 'leave': leave,
    'transaction': transaction, 'transform': transform, 'zombie': zombie,
    'createTopic': lambda order: each(admin.create_topics(
        [NewTopic(order['topic'], order['partitions'], config=order['configs'])])),
    'topics': lambda order: sorted(admin.list_topics(timeout=WAIT).topics),
    'partitions': lambda order: len(admin.list_topics(order['topic'], WAIT).topics[order['topic']].partitions),
    'addPartitions': lambda order: each(admin.create_partitions([NewPartitions(order['topic'], order['count'])])),
    'config': config, 'setConfig': set_config, 'deleteRecords': delete_records, 'listOffsets': list_offsets,
    'groups': lambda order: sorted(it.group_id for it in each(admin.list_consumer_groups()).valid),
    'group': group, 'offsets': offsets, 'setOffsets': set_offsets,
    'deleteGroup': lambda order: each(admin.delete_consumer_groups([order['group']])),
    'createAcl': lambda order: each(admin.create_acls([acl(AclBinding, order)])),
    'acls': lambda order: len(each(admin.describe_acls(matching(order)))),
    'deleteAcls': lambda order: len(each(admin.delete_acls([matching(order)]))),
    'deleteTopic': lambda order: each(admin.delete_topics([order['topic']])),
    'cluster': lambda order: sorted(node.id for node in each(admin.describe_cluster()).nodes),
}

for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = {'result': orders[order['do']](order)}
    except Exception as error:  # whatever it is, the test is to see it
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer, default=lambda _: None), flush=True)
