import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.admin.StreamsGroupSubtopologyDescription;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.ThreadMetadata;
import org.apache.kafka.streams.TaskMetadata;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/** Kafka Streams applications, told what to do line by line (see test/foreign/peer.ts). */
public class StreamsPeer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, KafkaStreams> applications = new HashMap<>();
    private static String servers;

    public static void main(String[] args) throws Exception {
        servers = args[0];
        PrintStream answers = System.out;
        // What libraries print is no answer.
        System.setOut(System.err);
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> answer = new HashMap<>();
            try {
                answer.put("result", carryOut(JSON.readTree(line)));
            } catch (Throwable e) {
                Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
                answer.put("error", cause.toString());
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        Runtime.getRuntime().halt(0);
    }

    private static Object carryOut(JsonNode order) throws Exception {
        return switch (order.get("do").asText()) {
            case "start" -> start(order);
            case "state" -> application(order).state().name();
            case "tasks" -> tasks(order);
            case "store" -> store(order);
            case "stop" -> stop(order);
            case "describe" -> describe(order);
            default -> throw new IllegalArgumentException("what is " + order + "?");
        };
    }

    private static KafkaStreams application(JsonNode order) {
        return applications.get(order.get("instance").asText());
    }

    private static String start(JsonNode order) {
        Properties config = new Properties();
        order.get("config").fields().forEachRemaining(each -> config.put(each.getKey(), each.getValue().asText()));
        config.put("bootstrap.servers", servers);
        config.put("default.key.serde", Serdes.StringSerde.class.getName());
        config.put("default.value.serde", Serdes.StringSerde.class.getName());
        KafkaStreams application = new KafkaStreams(topology(order), config);
        applications.put(order.get("instance").asText(), application);
        application.start();
        return application.state().name();
    }

    private static Topology topology(JsonNode order) {
        String from = order.get("from").asText();
        String to = order.get("to").asText();
        StreamsBuilder builder = new StreamsBuilder();
        var text = Consumed.with(Serdes.String(), Serdes.String());
        var numbers = Produced.with(Serdes.String(), Serdes.String());
        KStream<String, String> words = builder.stream(from, text)
            .flatMapValues(line -> Arrays.asList(line.toLowerCase().split(" ")))
            .selectKey((key, word) -> word);
        switch (order.get("topology").asText()) {
            case "count" -> words.groupByKey(Grouped.with("by-word", Serdes.String(), Serdes.String()))
                .count(Materialized.as("counts"))
                .toStream().mapValues(String::valueOf).to(to, numbers);
            case "windows" -> words.groupByKey(Grouped.with("by-word", Serdes.String(), Serdes.String()))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
                .count(Materialized.as("counts"))
                .toStream((window, count) -> window.key() + "@" + window.window().start())
                .mapValues(String::valueOf).to(to, numbers);
            case "join" -> {
                KTable<String, String> table = builder.table(order.get("table").asText(), text, Materialized.as("counts"));
                words.join(table, (word, meaning) -> word + "=" + meaning).to(to, numbers);
            }
            default -> throw new IllegalArgumentException("which topology is " + order + "?");
        }
        return builder.build();
    }

    private static Map<String, Object> tasks(JsonNode order) {
        var active = new TreeSet<String>();
        var standby = new TreeSet<String>();
        for (ThreadMetadata thread : application(order).metadataForLocalThreads()) {
            for (TaskMetadata task : thread.activeTasks()) active.add(task.taskId().toString());
            for (TaskMetadata task : thread.standbyTasks()) standby.add(task.taskId().toString());
        }
        return Map.of("active", active, "standby", standby);
    }

    private static Map<String, String> store(JsonNode order) {
        ReadOnlyKeyValueStore<String, Object> counts = application(order)
            .store(StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.keyValueStore()));
        Map<String, String> found = new TreeMap<>();
        try (var all = counts.all()) {
            all.forEachRemaining(each -> found.put(each.key, String.valueOf(each.value)));
        }
        return found;
    }

    private static boolean stop(JsonNode order) {
        return applications.remove(order.get("instance").asText()).close(Duration.ofSeconds(20));
    }

    private static Map<String, Object> describe(JsonNode order) throws Exception {
        String group = order.get("group").asText();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            StreamsGroupDescription found = admin.describeStreamsGroups(List.of(group)).all().get().get(group);
            var subtopologies = new ArrayList<Map<String, Object>>();
            for (StreamsGroupSubtopologyDescription each : found.subtopologies()) {
                Map<String, Integer> internal = new TreeMap<>();
                each.repartitionSourceTopics().forEach((name, topic) -> internal.put(name, topic.partitions()));
                each.stateChangelogTopics().forEach((name, topic) -> internal.put(name, topic.partitions()));
                subtopologies.add(Map.of("id", each.subtopologyId(), "sources", new TreeSet<>(each.sourceTopics()), "internal", internal));
            }
            return Map.of(
                "state", found.groupState().toString(),
                "groupEpoch", found.groupEpoch(),
                "assignmentEpoch", found.targetAssignmentEpoch(),
                "members", found.members().size(),
                "subtopologies", subtopologies);
        }
    }
}
