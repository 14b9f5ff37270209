"""confluent-kafka's serdes, told what to do line by line (see ../peer.ts). Values that JSON lacks are `{"$kind": ...}`."""
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
from confluent_kafka.serialization import MessageField, SerializationContext

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
    return Schema(text, 'AVRO', references)


def context_of(order):
    field = MessageField.KEY if order.get('field') == 'key' else MessageField.VALUE
    headers = [(key, bytes.fromhex(value)) for key, value in order.get('headers', [])]
    return SerializationContext(order['topic'], field, headers)


def serialize(order):
    in_header = order.get('idIn') == 'header'
    config = {
        'subject.name.strategy': NAMINGS[order.get('subject', 'topic')],
        'schema.id.serializer': header_schema_id_serializer if in_header else prefix_schema_id_serializer,
    }
    context = context_of(order)
    data = AvroSerializer(client, schema_of(order), conf=config)(given(order['value']), context)
    return {'bytes': None if data is None else data.hex(), 'headers': [(key, value.hex()) for key, value in context.headers]}


def deserialize(order):
    reader = schema_of(order) if 'schema' in order else None
    data = None if order['bytes'] is None else bytes.fromhex(order['bytes'])
    return said(AvroDeserializer(client, reader)(data, context_of(order)))


for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = {'result': {'serialize': serialize, 'deserialize': deserialize}[order['do']](order)}
    except Exception as error:
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
