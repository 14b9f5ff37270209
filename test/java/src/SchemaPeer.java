import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.apicurio.registry.serde.Default4ByteIdHandler;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import io.apicurio.registry.serde.avro.DefaultAvroDatumProvider;
import io.apicurio.registry.serde.jsonschema.JsonSchemaKafkaDeserializer;
import io.apicurio.registry.serde.jsonschema.JsonSchemaKafkaSerializer;
import io.apicurio.registry.serde.protobuf.ProtobufKafkaDeserializer;
import io.apicurio.registry.serde.protobuf.ProtobufKafkaSerializer;
import io.apicurio.registry.serde.strategy.TopicIdStrategy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.DatumReader;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Apicurio's serdes, set to Confluent's format (an id of four bytes, Protobuf's message indexes), told what to do line by line
 * (see test/foreign/peer.ts). The argument is the address of the registry's own API.
 */
public class SchemaPeer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final HexFormat HEX = HexFormat.of();
    private static final Conversions.DecimalConversion DECIMALS = new Conversions.DecimalConversion();
    private static final long EXACT = 1L << 53;
    private static String registry;

    public static void main(String[] args) throws Exception {
        registry = args[0];
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // What libraries print is no answer.
        System.setOut(System.err);
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            ObjectNode answer = NODES.objectNode();
            try {
                JsonNode order = JSON.readTree(line);
                answer.set("result", order.get("do").asText().equals("serialize") ? serialize(order) : deserialize(order));
            } catch (Throwable e) {
                answer.put("error", e.toString());
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        Runtime.getRuntime().halt(0);
    }

    private static JsonNode serialize(JsonNode order) throws Exception {
        Headers headers = new RecordHeaders();
        byte[] bytes;
        try (Serializer<Object> serializer = serializerOf(order)) {
            JsonNode value = order.get("value");
            Object given = value.isNull() ? null : toWrite(order, value);
            bytes = serializer.serialize(order.get("topic").asText(), headers, given);
        }
        ObjectNode written = NODES.objectNode();
        written.put("bytes", bytes == null ? null : HEX.formatHex(bytes));
        ArrayNode all = written.putArray("headers");
        headers.forEach(header -> all.addArray().add(header.key()).add(HEX.formatHex(header.value())));
        return written;
    }

    private static JsonNode deserialize(JsonNode order) throws Exception {
        JsonNode bytes = order.get("bytes");
        try (Deserializer<Object> deserializer = deserializerOf(order)) {
            byte[] data = bytes.isNull() ? null : HEX.parseHex(bytes.asText());
            Object read = deserializer.deserialize(order.get("topic").asText(), new RecordHeaders(), data);
            return read == null ? NODES.nullNode() : asSaid(order, read);
        }
    }

    private static Map<String, Object> config(JsonNode order) {
        Map<String, Object> config = new HashMap<>();
        config.put("apicurio.registry.url", registry);
        config.put("apicurio.registry.use-id", "contentId");
        config.put("apicurio.registry.id-handler", Default4ByteIdHandler.class.getName());
        config.put("apicurio.registry.headers.enabled", false);
        config.put("apicurio.registry.artifact-resolver-strategy", TopicIdStrategy.class.getName());
        // A JSON schema cannot be had from a value: it is the latest version.
        boolean isFound = order.get("format").asText().equals("JSON");
        config.put("apicurio.registry.auto-register", !isFound);
        config.put("apicurio.registry.find-latest", isFound);
        config.put("apicurio.registry.dereference-schema", order.path("dereferences").asBoolean());
        config.put("apicurio.registry.serde.send-type-ref", false);
        config.put("apicurio.registry.serde.read-type-ref", false);
        config.put("apicurio.registry.serde.send-indexes", true);
        config.put("apicurio.registry.serde.read-indexes", true);
        config.put("apicurio.registry.serde.validation-enabled", order.path("validates").asBoolean(true));
        return config;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Serializer<Object> serializerOf(JsonNode order) {
        Serializer serializer = switch (order.get("format").asText()) {
            case "AVRO" -> new AvroKafkaSerializer<>();
            case "JSON" -> new JsonSchemaKafkaSerializer<>();
            default -> new ProtobufKafkaSerializer<Message>();
        };
        serializer.configure(config(order), isKey(order));
        return serializer;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Deserializer<Object> deserializerOf(JsonNode order) throws Exception {
        Deserializer deserializer = switch (order.get("format").asText()) {
            case "AVRO" -> new AvroKafkaDeserializer<>();
            case "JSON" -> new JsonSchemaKafkaDeserializer<>();
            default -> new ProtobufKafkaDeserializer<Message>();
        };
        Map<String, Object> config = config(order);
        if (order.has("schema")) {
            ReadAs.schema = new Schema.Parser().parse(order.get("schema").toString());
            config.put("apicurio.registry.avro-datum-provider", ReadAs.class.getName());
        }
        // Without a class, messages are read as they were written.
        if (order.has("files") && !order.path("asWritten").asBoolean()) {
            Generated.descriptor = descriptor(order);
            config.put("apicurio.registry.deserializer.value.return-class", Generated.class);
            config.put("apicurio.registry.deserializer.key.return-class", Generated.class);
        }
        deserializer.configure(config, isKey(order));
        return deserializer;
    }

    /** Reads Avro as the application's schema has it; by default it is read as it was written. */
    public static final class ReadAs extends DefaultAvroDatumProvider<Object> {
        private static Schema schema;

        @Override
        public DatumReader<Object> createDatumReader(Schema written) {
            return new GenericDatumReader<>(written, schema);
        }
    }

    /** Stands for a class that protoc generates: their deserializer asks it for this method, and it knows its message by itself. */
    public static final class Generated {
        private static Descriptors.Descriptor descriptor;

        public static DynamicMessage parseFrom(InputStream bytes) throws IOException {
            return DynamicMessage.parseFrom(descriptor, bytes);
        }
    }

    private static boolean isKey(JsonNode order) {
        return order.path("field").asText("value").equals("key");
    }

    private static Object toWrite(JsonNode order, JsonNode value) throws Exception {
        switch (order.get("format").asText()) {
            case "AVRO":
                return given(value, new Schema.Parser().parse(order.get("schema").toString()));
            case "JSON":
                return value;
            default:
                DynamicMessage.Builder message = DynamicMessage.newBuilder(descriptor(order));
                JsonFormat.parser().merge(value.toString(), message);
                return message.build();
        }
    }

    private static JsonNode asSaid(JsonNode order, Object read) throws Exception {
        return switch (order.get("format").asText()) {
            case "AVRO" -> said(read, schemaOf(read));
            case "JSON" -> JSON.valueToTree(read);
            default -> JSON.readTree(JsonFormat.printer().print((Message) read));
        };
    }

    private static Schema schemaOf(Object read) {
        return read instanceof IndexedRecord record ? record.getSchema() : GenericData.get().induce(read);
    }

    private static Descriptors.Descriptor descriptor(JsonNode order) throws Exception {
        byte[] bytes = Base64.getDecoder().decode(order.get("files").asText());
        Map<String, Descriptors.FileDescriptor> files = new HashMap<>();
        String message = order.get("message").asText();
        Descriptors.Descriptor found = null;
        for (FileDescriptorProto file : FileDescriptorSet.parseFrom(bytes).getFileList()) {
            var imports = file.getDependencyList().stream().map(files::get).toArray(Descriptors.FileDescriptor[]::new);
            var made = Descriptors.FileDescriptor.buildFrom(file, imports);
            files.put(file.getName(), made);
            String around = file.getPackage().isEmpty() ? "" : file.getPackage() + ".";
            if (!message.startsWith(around)) continue;
            Descriptors.Descriptor at = null;
            for (String name : message.substring(around.length()).split("\\.")) {
                at = at == null ? made.findMessageTypeByName(name) : at.findNestedTypeByName(name);
                if (at == null) break;
            }
            if (at != null) found = at;
        }
        return found;
    }

    // Avro: what a program has, from what JSON says of it.

    private static Object given(JsonNode value, Schema schema) {
        switch (schema.getType()) {
            case RECORD:
                GenericData.Record record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.pos(), given(value.path(field.name()), field.schema()));
                }
                return record;
            case ARRAY:
                List<Object> items = new ArrayList<>();
                value.forEach(each -> items.add(given(each, schema.getElementType())));
                return new GenericData.Array<>(schema, items);
            case MAP:
                Map<String, Object> map = new HashMap<>();
                value.fields().forEachRemaining(each -> map.put(each.getKey(), given(each.getValue(), schema.getValueType())));
                return map;
            case UNION:
                for (Schema branch : schema.getTypes()) if (fits(value, branch)) return given(value, branch);
                throw new IllegalArgumentException("no branch of " + schema + " fits " + value);
            case ENUM:
                return new GenericData.EnumSymbol(schema, value.asText());
            case FIXED:
                return value.has("$decimal")
                    ? DECIMALS.toFixed(new BigDecimal(value.get("$decimal").asText()), schema, schema.getLogicalType())
                    : new GenericData.Fixed(schema, HEX.parseHex(value.get("$bytes").asText()));
            case BYTES:
                return value.has("$decimal")
                    ? DECIMALS.toBytes(new BigDecimal(value.get("$decimal").asText()), schema, schema.getLogicalType())
                    : ByteBuffer.wrap(HEX.parseHex(value.get("$bytes").asText()));
            case LONG:
                return value.isObject() ? Long.parseLong(value.elements().next().asText()) : value.asLong();
            case INT:
                return value.isObject() ? value.elements().next().asInt() : value.asInt();
            case FLOAT:
                return (float) value.asDouble();
            case DOUBLE:
                return value.asDouble();
            case BOOLEAN:
                return value.asBoolean();
            case STRING:
                return value.asText();
            default:
                return null;
        }
    }

    private static boolean fits(JsonNode value, Schema schema) {
        return switch (schema.getType()) {
            case NULL -> value.isNull() || value.isMissingNode();
            case BOOLEAN -> value.isBoolean();
            case INT, LONG -> value.isIntegralNumber() || (value.isObject() && value.fieldNames().next().startsWith("$"));
            case FLOAT, DOUBLE -> value.isNumber();
            case STRING, ENUM -> value.isTextual();
            case ARRAY -> value.isArray();
            case RECORD -> value.isObject() && schema.getFields().stream().allMatch(field -> value.has(field.name()));
            default -> value.isObject();
        };
    }

    private static JsonNode said(Object value, Schema schema) {
        if (value == null) return NODES.nullNode();
        if (schema.getType() == Schema.Type.UNION) {
            return said(value, schema.getTypes().get(GenericData.get().resolveUnion(schema, value)));
        }
        String logical = schema.getLogicalType() == null ? "" : schema.getLogicalType().getName();
        switch (schema.getType()) {
            case RECORD:
                ObjectNode record = NODES.objectNode();
                for (Schema.Field field : schema.getFields()) {
                    record.set(field.name(), said(((IndexedRecord) value).get(field.pos()), field.schema()));
                }
                return record;
            case ARRAY:
                ArrayNode items = NODES.arrayNode();
                ((Collection<?>) value).forEach(each -> items.add(said(each, schema.getElementType())));
                return items;
            case MAP:
                ObjectNode map = NODES.objectNode();
                ((Map<?, ?>) value).forEach((key, each) -> map.set(key.toString(), said(each, schema.getValueType())));
                return map;
            case FIXED:
                return logical.equals("decimal")
                    ? kind("$decimal", DECIMALS.fromFixed((GenericFixed) value, schema, schema.getLogicalType()).toPlainString())
                    : kind("$bytes", HEX.formatHex(((GenericFixed) value).bytes()));
            case BYTES:
                ByteBuffer buffer = ((ByteBuffer) value).duplicate();
                if (logical.equals("decimal")) {
                    return kind("$decimal", DECIMALS.fromBytes(buffer, schema, schema.getLogicalType()).toPlainString());
                }
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                return kind("$bytes", HEX.formatHex(bytes));
            case LONG:
                long number = (Long) value;
                if (logical.equals("timestamp-millis")) return NODES.objectNode().put("$millis", number);
                if (logical.equals("timestamp-micros")) return NODES.objectNode().put("$micros", number);
                return number > -EXACT && number < EXACT ? NODES.numberNode(number) : kind("$long", Long.toString(number));
            case INT:
                return logical.equals("date")
                    ? NODES.objectNode().put("$date", (Integer) value)
                    : NODES.numberNode((Integer) value);
            case FLOAT:
                return NODES.numberNode((Float) value);
            case DOUBLE:
                return NODES.numberNode((Double) value);
            case BOOLEAN:
                return NODES.booleanNode((Boolean) value);
            default:
                return NODES.textNode(value.toString());
        }
    }

    private static ObjectNode kind(String name, String text) {
        return NODES.objectNode().put(name, text);
    }
}
