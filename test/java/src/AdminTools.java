import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's own command line tools, many in one process. Each line of standard input is a JSON array:
 *
 *   ["transaction", SERVERS, ID, TOPIC]  opens a transaction, writes one record to partition 0 and leaves it open
 *   ["member", SERVERS, GROUP, TOPIC]    joins a group of the new protocol (KIP-848), gets its partitions and stays
 *   ["share", SERVERS, GROUP, TOPIC]     is a member of a share group until it gets a record
 *   ["input", SERVERS, TEXT]             what the tools after it find on their standard input
 *   [CLASS, ARGUMENT, ...]               the tool of that class; what it prints comes back as a line of JSON
 */
public class AdminTools {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        PrintStream terminal = System.out;
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines().collect(Collectors.toList());
        for (String line : lines) {
            JsonNode words = JSON.readTree(line);
            switch (words.get(0).asText()) {
                case "transaction" -> openTransaction(words.get(1).asText(), words.get(2).asText(), words.get(3).asText());
                case "member" -> join(words.get(1).asText(), words.get(2).asText(), words.get(3).asText());
                case "share" -> share(words.get(1).asText(), words.get(2).asText(), words.get(3).asText());
                case "input" -> System.setIn(new ByteArrayInputStream(words.get(2).asText().getBytes(StandardCharsets.UTF_8)));
                default -> terminal.println(JSON.writeValueAsString(tool(words)));
            }
        }
        terminal.flush();
        // The producer of the open transaction must not get to end it.
        Runtime.getRuntime().halt(0);
    }

    private static Map<String, Object> tool(JsonNode words) throws Exception {
        String[] args = new String[words.size() - 1];
        for (int i = 0; i < args.length; i++) args[i] = words.get(i + 1).asText();
        PrintStream out = System.out;
        PrintStream err = System.err;
        var captured = new ByteArrayOutputStream();
        var stream = new PrintStream(captured, true, StandardCharsets.UTF_8);
        System.setOut(stream);
        System.setErr(stream);
        exited = null;
        output = captured;
        try {
            var main = Class.forName(words.get(0).asText()).getMethod("main", String[].class);
            // Scala's tools print to what Console knows, which is System.out of when it was first asked.
            scala.Console.withOut(stream, () -> {
                try {
                    return main.invoke(null, (Object) args);
                } catch (IllegalAccessException | InvocationTargetException e) {
                    throw new RuntimeException(e);
                }
            });
        } catch (RuntimeException e) {
            if (exited == null) {
                e.printStackTrace(stream);
                exited = Map.of("out", captured.toString(StandardCharsets.UTF_8), "code", 1);
            }
        } catch (Exited e) {
            // exit has noted all there is.
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        if (exited != null) return exited;
        return Map.of("out", captured.toString(StandardCharsets.UTF_8), "code", 0);
    }

    private static Map<String, Object> exited;
    private static ByteArrayOutputStream output;

    // Several tools catch what ends them here, and say so, and exit once more: the first time counts.
    private static void exit(int code) {
        if (exited == null) exited = Map.of("out", output.toString(StandardCharsets.UTF_8), "code", code);
        throw new Exited();
    }

    private static void openTransaction(String servers, String id, String topic) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", servers, "transactional.id", id, "linger.ms", "0");
        var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 0, null, "left open".getBytes(StandardCharsets.UTF_8))).get();
    }

    private static void join(String servers, String group, String topic) {
        Map<String, Object> config = Map.of("bootstrap.servers", servers, "group.id", group, "client.id", "joiner", "group.protocol", "consumer");
        var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(topic));
        while (consumer.assignment().isEmpty()) consumer.poll(Duration.ofMillis(200));
    }

    private static void share(String servers, String group, String topic) {
        Map<String, Object> config = Map.of("bootstrap.servers", servers, "group.id", group, "client.id", "sharer");
        try (var consumer = new KafkaShareConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (consumer.poll(Duration.ofMillis(200)).isEmpty()) continue;
        }
    }

    private static final class Exited extends Error {}
}
