import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/**
 * What the console tools cannot do. Records are JSON lines; bytes are base64, null is null.
 *
 *   partitions COUNT                       keys on stdin, one base64 line each: the partition of each by murmur2
 *   produce SERVERS TOPIC [key=value ...]  records on stdin: the partition and offset of each
 *   transact SERVERS TOPIC [key=value ...] the same; records that follow each other with one "transaction" are in one, which
 *                                          is aborted if it begins with "abort"
 *   consume SERVERS TOPIC COUNT [key=value ...]  the topic from its beginning until COUNT records were read
 */
public class Interop {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "partitions" -> partitions(Integer.parseInt(args[1]));
            case "produce" -> produce(args);
            case "transact" -> transact(args);
            case "consume" -> consume(args, Integer.parseInt(args[3]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void partitions(int count) throws Exception {
        for (String line : stdin()) System.out.println(Utils.toPositive(Utils.murmur2(bytes(line))) % count);
    }

    private static void produce(String[] args) throws Exception {
        Map<String, Object> config = new java.util.HashMap<>(Map.of("bootstrap.servers", args[1], "linger.ms", "50"));
        addTo(config, args, 3);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String line : stdin()) {
                sent.add(producer.send(record(args[2], JSON.readTree(line))));
            }
            for (var one : sent) System.out.println(JSON.writeValueAsString(Map.of("partition", one.get().partition(), "offset", one.get().offset())));
        }
    }

    private static void transact(String[] args) throws Exception {
        Map<String, Object> config = new java.util.HashMap<>(Map.of("bootstrap.servers", args[1], "linger.ms", "50"));
        addTo(config, args, 3);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            String open = null;
            for (String line : stdin()) {
                JsonNode in = JSON.readTree(line);
                String next = in.get("transaction").asText();
                if (!next.equals(open)) {
                    end(producer, open);
                    producer.beginTransaction();
                    open = next;
                }
                var sent = producer.send(record(args[2], in));
                // Else an abort would drop it before it leaves.
                if (next.startsWith("abort")) {
                    producer.flush();
                    sent.get();
                }
            }
            end(producer, open);
        }
    }

    private static void end(KafkaProducer<byte[], byte[]> producer, String open) {
        if (open == null) return;
        if (open.startsWith("abort")) producer.abortTransaction();
        else producer.commitTransaction();
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode in) {
        Integer partition = in.hasNonNull("partition") ? in.get("partition").asInt() : null;
        Long timestamp = in.hasNonNull("timestamp") ? in.get("timestamp").asLong() : null;
        var record = new ProducerRecord<>(topic, partition, timestamp, bytes(in.get("key")), bytes(in.get("value")));
        if (in.has("headers")) {
            for (JsonNode header : in.get("headers")) record.headers().add(header.get("key").asText(), bytes(header.get("value")));
        }
        return record;
    }

    private static void addTo(Map<String, Object> config, String[] args, int first) {
        for (int i = first; i < args.length; i++) config.put(args[i].split("=", 2)[0], args[i].split("=", 2)[1]);
    }

    private static void consume(String[] args, int count) throws Exception {
        String topic = args[2];
        Map<String, Object> config = new java.util.HashMap<>(Map.of("bootstrap.servers", args[1], "enable.auto.commit", "false"));
        addTo(config, args, 4);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (var info : consumer.partitionsFor(topic)) all.add(new TopicPartition(topic, info.partition()));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            for (int read = 0; read < count; ) {
                if (System.nanoTime() > deadline) throw new IllegalStateException("only " + read + " of " + count + " records");
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    System.out.println(JSON.writeValueAsString(json(record)));
                    read++;
                }
            }
        }
    }

    private static ObjectNode json(ConsumerRecord<byte[], byte[]> record) {
        ObjectNode out = JSON.createObjectNode();
        out.put("partition", record.partition()).put("offset", record.offset());
        out.put("timestamp", record.timestamp()).put("timestampType", record.timestampType().name);
        out.put("key", text(record.key())).put("value", text(record.value()));
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) headers.addObject().put("key", header.key()).put("value", text(header.value()));
        return out;
    }

    private static List<String> stdin() throws Exception {
        return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines().toList();
    }

    private static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : bytes(node.asText());
    }

    private static byte[] bytes(String base64) {
        return Base64.getDecoder().decode(base64);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }
}
