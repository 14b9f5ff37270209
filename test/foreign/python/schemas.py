"""confluent-kafka's serdes, told what to do line by line (see ../peer.ts). Values that JSON lacks are `{"$kind": ...}`."""
import base64
import json
import sys
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from confluent_kafka.schema_registry import (
    Schema, SchemaReference, SchemaRegistryClient, header_schema_id_serializer, prefix_schema_id_serializer,
    record_subject_name_strategy, topic_record_subject_name_strategy, topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

client = SchemaRegistryClient({'url': sys.argv[1], 'timeout': 120})
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NAMINGS = {
    'topic': topic_subject_name_strategy, 'record': record_subject_name_strategy,
    'topic-record': topic_record_subject_name_strategy,
}
KINDS = {
    '$bytes': bytes.fromhex,
    '$decimal': Decimal,
    '$millis': lambda ms: EPOCH + timedelta(milliseconds=ms),
    '$micros': lambda us: EPOCH + timedelta(microseconds=us),
    '$date': lambda days: (EPOCH + timedelta(days=days)).date(),
    '$long': int,
    '$uuid': uuid.UUID,
}


def given(value):
    if isinstance(value, list):
        return [given(each) for each in value]
    if not isinstance(value, dict):
        return value
    for kind, make in KINDS.items():
        if kind in value:
            return make(value[kind])
    return {name: given(each) for name, each in value.items()}


def said(value):
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2 ** 53 else {'$long': str(value)}
    if isinstance(value, bytes):
        return {'$bytes': value.hex()}
    if isinstance(value, Decimal):
        return {'$decimal': str(value)}
    if isinstance(value, uuid.UUID):
        return {'$uuid': str(value)}
    if isinstance(value, datetime):
        micros = (value - EPOCH) // timedelta(microseconds=1)
        return {'$millis': micros // 1000} if micros % 1000 == 0 else {'$micros': micros}
    if isinstance(value, date):
        return {'$date': (value - EPOCH.date()).days}
    if isinstance(value, list):
        return [said(each) for each in value]
    return {name: said(each) for name, each in value.items()}


def schema_of(order):
    references = [SchemaReference(**each) for each in order.get('references', [])]
    # Without spaces, as JSON.stringify writes it: Apicurio compares text.
    text = json.dumps(order['schema'], separators=(',', ':'), ensure_ascii=False)
    return Schema(text, order['format'], references)


POOLS = {}


def message_class(order):
    files = order['files']
    if files not in POOLS:
        POOLS[files] = pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(files)).file:
            pool.Add(file)
    return message_factory.GetMessageClass(POOLS[files].FindMessageTypeByName(order['message']))


def context_of(order):
    field = MessageField.KEY if order.get('field') == 'key' else MessageField.VALUE
    headers = [(key, bytes.fromhex(value)) for key, value in order.get('headers', [])]
    return SerializationContext(order['topic'], field, headers)


def serializer_of(order, conf):
    if order['format'] == 'AVRO':
        return AvroSerializer(client, schema_of(order), conf=conf)
    if order['format'] == 'JSON':
        return JSONSerializer(schema_of(order), client, conf={**conf, 'validate': True})
    return ProtobufSerializer(message_class(order), client, conf)


def deserializer_of(order):
    if order['format'] == 'PROTOBUF':
        return ProtobufDeserializer(message_class(order), {}, client)
    reader = schema_of(order) if 'schema' in order else None
    if order['format'] == 'AVRO':
        return AvroDeserializer(client, reader)
    return JSONDeserializer(reader, schema_registry_client=client)


def to_write(order):
    if order['format'] == 'PROTOBUF' and order['value'] is not None:
        return json_format.ParseDict(order['value'], message_class(order)())
    return given(order['value']) if order['format'] == 'AVRO' else order['value']


def as_said(order, read):
    if order['format'] == 'PROTOBUF' and read is not None:
        return json_format.MessageToDict(read)
    return said(read) if order['format'] == 'AVRO' else read


def serialize(order):
    in_header = order.get('idIn') == 'header'
    conf = {
        'subject.name.strategy': NAMINGS[order.get('subject', 'topic')],
        'schema.id.serializer': header_schema_id_serializer if in_header else prefix_schema_id_serializer,
    }
    context = context_of(order)
    data = serializer_of(order, conf)(to_write(order), context)
    return {'bytes': None if data is None else data.hex(), 'headers': [(key, value.hex()) for key, value in context.headers]}


def deserialize(order):
    data = None if order['bytes'] is None else bytes.fromhex(order['bytes'])
    return as_said(order, deserializer_of(order)(data, context_of(order)))


for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = {'result': {'serialize': serialize, 'deserialize': deserialize}[order['do']](order)}
    except Exception as error:
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
