import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's own clients, told what to do line by line (see test/foreign/peer.ts). */
public class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> ASSIGNORS = Map.of(
        "range", "RangeAssignor",
        "roundrobin", "RoundRobinAssignor",
        "sticky", "StickyAssignor",
        "cooperative-sticky", "CooperativeStickyAssignor");
    private static final Map<String, Member> members = new HashMap<>();
    private static String servers;
    private static Admin admin;

    public static void main(String[] args) throws Exception {
        servers = args[0];
        admin = Admin.create(config(Map.of()));
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
            case "produce" -> produce(order);
            case "consume" -> consume(order);
            case "join" -> start(order, new Consumer(order));
            case "share" -> start(order, new Sharer(order));
            case "assignment" -> member(order).assignment();
            case "received" -> List.copyOf(member(order).values);
            case "leave" -> leave(order);
            case "transaction" -> transaction(order);
            case "transform" -> transform(order);
            case "zombie" -> zombie(order);
            default -> administer(order);
        };
    }

    private static Map<String, Object> config(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(more);
        config.put("bootstrap.servers", servers);
        return config;
    }

    /** What all clients of an order may be given. */
    private static Map<String, Object> clientOf(JsonNode order) {
        return order.has("client") ? Map.of("client.id", word(order, "client")) : Map.of();
    }

    private static String word(JsonNode order, String name) {
        return order.get(name).asText();
    }

    private static List<String> words(JsonNode array) {
        List<String> words = new ArrayList<>();
        array.forEach(one -> words.add(one.asText()));
        return words;
    }

    // ---- producing and consuming

    private static KafkaProducer<String, String> producer(Map<String, Object> more) {
        return new KafkaProducer<>(config(more), new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        return new KafkaConsumer<>(config(more), new StringDeserializer(), new StringDeserializer());
    }

    private static void send(KafkaProducer<String, String> producer, String topic, List<String> values) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (String value : values) {
            var record = new ProducerRecord<>(topic, "k" + value, value);
            record.headers().add("h", ("x" + value).getBytes(StandardCharsets.UTF_8));
            sent.add(producer.send(record));
        }
        for (var one : sent) one.get();
    }

    private static Object produce(JsonNode order) throws Exception {
        Map<String, Object> more = new HashMap<>(clientOf(order));
        more.put("compression.type", word(order, "codec"));
        more.put("enable.idempotence", order.get("idempotence").asBoolean());
        more.put("linger.ms", 5);
        try (var producer = producer(more)) {
            send(producer, word(order, "topic"), words(order.get("values")));
            if (order.has("restMs")) Thread.sleep(order.get("restMs").asLong());
        }
        return null;
    }

    private static Object consume(JsonNode order) {
        String topic = word(order, "topic");
        List<String> read = new ArrayList<>();
        try (var consumer = consumer(Map.of("isolation.level", word(order, "isolation")))) {
            List<TopicPartition> all = new ArrayList<>();
            for (var info : consumer.partitionsFor(topic)) all.add(new TopicPartition(topic, info.partition()));
            var ends = consumer.endOffsets(all);
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (all.stream().anyMatch(at -> consumer.position(at) < ends.get(at))) {
                for (var record : consumer.poll(Duration.ofMillis(200))) read.add(text(record));
            }
        }
        read.sort(null);
        return read;
    }

    private static String text(ConsumerRecord<String, String> record) {
        var header = record.headers().lastHeader("h");
        String key = record.key() == null ? "" : record.key();
        return (key + " " + record.value() + " " + (header == null ? "" : new String(header.value(), StandardCharsets.UTF_8))).trim();
    }

    // ---- members of groups

    private static Member member(JsonNode order) {
        return members.get(word(order, "member"));
    }

    private static Object start(JsonNode order, Member member) {
        members.put(word(order, "member"), member);
        member.start();
        return null;
    }

    private static Object leave(JsonNode order) throws Exception {
        Member member = members.remove(word(order, "member"));
        member.left = true;
        member.join();
        if (member.error != null) throw member.error;
        return Map.of("values", List.copyOf(member.values), "moves", List.copyOf(member.moves));
    }

    /** Partitions that came or went, and when (ms since the epoch). */
    private record Move(String type, List<Integer> partitions, long at) {
        Move(String type, Collection<TopicPartition> partitions) {
            this(type, partitions.stream().map(TopicPartition::partition).sorted().toList(), System.currentTimeMillis());
        }
    }

    /** Polls in a thread of its own until it is to leave. */
    private abstract static class Member extends Thread {
        final Collection<String> values = new ConcurrentLinkedQueue<>();
        final Collection<Move> moves = new ConcurrentLinkedQueue<>();
        volatile boolean left;
        volatile Exception error;
        volatile Collection<Integer> assigned = List.of();

        abstract void poll();

        abstract void end();

        Object assignment() throws Exception {
            if (error != null) throw error;
            return assigned;
        }

        @Override
        public void run() {
            try {
                while (!left) poll();
                end();
            } catch (Exception e) {
                error = e;
            }
        }
    }

    private static class Consumer extends Member {
        private final KafkaConsumer<String, String> consumer;

        Consumer(JsonNode order) {
            Map<String, Object> more = new HashMap<>(Map.of(
                "group.id", word(order, "group"), "auto.offset.reset", "earliest", "auto.commit.interval.ms", 200));
            if (word(order, "protocol").equals("consumer")) {
                more.put("group.protocol", "consumer");
                more.put("group.remote.assignor", word(order, "assignor"));
            } else {
                String assignor = ASSIGNORS.get(word(order, "assignor"));
                more.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
                more.put("heartbeat.interval.ms", 100);
            }
            more.putAll(clientOf(order));
            if (order.has("instance")) more.put("group.instance.id", word(order, "instance"));
            consumer = consumer(more);
            consumer.subscribe(List.of(word(order, "topic")), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    moves.add(new Move("assign", partitions));
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    moves.add(new Move("revoke", partitions));
                }

                @Override
                public void onPartitionsLost(Collection<TopicPartition> partitions) {
                    moves.add(new Move("lost", partitions));
                }
            });
        }

        @Override
        void poll() {
            for (var record : consumer.poll(Duration.ofMillis(50))) values.add(record.value());
            assigned = new TreeSet<>(consumer.assignment().stream().map(TopicPartition::partition).toList());
        }

        @Override
        void end() {
            consumer.close();
        }
    }

    private static class Sharer extends Member {
        private final KafkaShareConsumer<String, String> consumer;

        Sharer(JsonNode order) {
            Map<String, Object> more = new HashMap<>(clientOf(order));
            more.put("group.id", word(order, "group"));
            consumer = new KafkaShareConsumer<>(config(more), new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(List.of(word(order, "topic")));
        }

        @Override
        void poll() {
            for (var record : consumer.poll(Duration.ofMillis(100))) values.add(record.value());
        }

        @Override
        void end() {
            consumer.close();
        }
    }

    // ---- transactions

    private static KafkaProducer<String, String> transactional(JsonNode order) {
        var producer = producer(Map.of("transactional.id", word(order, "id"), "compression.type", "lz4"));
        producer.initTransactions();
        return producer;
    }

    private static void end(KafkaProducer<String, String> producer, boolean commit) {
        if (commit) producer.commitTransaction();
        else producer.abortTransaction();
    }

    private static Object transaction(JsonNode order) throws Exception {
        try (var producer = transactional(order)) {
            for (JsonNode one : order.get("transactions")) {
                producer.beginTransaction();
                send(producer, word(order, "topic"), words(one.get(0)));
                end(producer, one.get(1).asBoolean());
            }
        }
        return null;
    }

    private static Object transform(JsonNode order) {
        int count = order.get("count").asInt();
        Map<String, Object> more = Map.of("group.id", word(order, "group"), "enable.auto.commit", false, "auto.offset.reset", "earliest",
            "isolation.level", "read_committed", "heartbeat.interval.ms", 100, "max.poll.records", count);
        try (var producer = transactional(order); var consumer = consumer(more)) {
            consumer.subscribe(List.of(word(order, "from")));
            for (JsonNode commit : order.get("commits")) {
                producer.beginTransaction();
                for (int n = 0; n < count; ) {
                    for (var record : consumer.poll(Duration.ofMillis(200))) {
                        producer.send(new ProducerRecord<>(word(order, "to"), record.value().toUpperCase()));
                        n++;
                    }
                }
                Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                for (var at : consumer.assignment()) positions.put(at, new OffsetAndMetadata(consumer.position(at)));
                producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
                end(producer, commit.asBoolean());
                if (commit.asBoolean()) continue;
                consumer.committed(consumer.assignment()).forEach((at, offset) -> consumer.seek(at, offset == null ? 0 : offset.offset()));
            }
        }
        return null;
    }

    private static Object zombie(JsonNode order) throws Exception {
        String topic = word(order, "topic");
        try (var first = transactional(order)) {
            first.beginTransaction();
            send(first, topic, List.of("from the dead"));
            try (var second = transactional(order)) {
                second.beginTransaction();
                send(second, topic, List.of("alive"));
                second.commitTransaction();
            }
            try {
                first.commitTransaction();
                return "nothing";
            } catch (Exception e) {
                return e.toString();
            }
        }
    }

    // ---- administration

    private static Object administer(JsonNode order) throws Exception {
        String topic = order.path("topic").asText();
        String group = order.path("group").asText();
        TopicPartition at = new TopicPartition(topic, order.path("partition").asInt());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        switch (word(order, "do")) {
            case "createTopic" -> {
                Map<String, String> configs = new HashMap<>();
                order.get("configs").properties().forEach(one -> configs.put(one.getKey(), one.getValue().asText()));
                return admin.createTopics(List.of(new NewTopic(topic, order.get("partitions").asInt(), (short) -1).configs(configs))).all().get();
            }
            case "topics" -> {
                return admin.listTopics().names().get();
            }
            case "partitions" -> {
                return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            }
            case "addPartitions" -> {
                return admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(order.get("count").asInt()))).all().get();
            }
            case "config" -> {
                return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(word(order, "name")).value();
            }
            case "setConfig" -> {
                var set = new AlterConfigOp(new ConfigEntry(word(order, "name"), word(order, "value")), AlterConfigOp.OpType.SET);
                return admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
            }
            case "deleteRecords" -> {
                var until = RecordsToDelete.beforeOffset(order.get("offset").asLong());
                return admin.deleteRecords(Map.of(at, until)).lowWatermarks().get(at).get().lowWatermark();
            }
            case "listOffsets" -> {
                List<Long> offsets = new ArrayList<>();
                for (var which : List.of(OffsetSpec.earliest(), OffsetSpec.latest()))
                    offsets.add(admin.listOffsets(Map.of(at, which)).partitionResult(at).get().offset());
                return offsets;
            }
            case "groups" -> {
                return admin.listGroups().all().get().stream().map(it -> it.groupId()).toList();
            }
            case "group" -> {
                var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                return Map.of("state", described.groupState().toString().toLowerCase(), "members", described.members().size());
            }
            case "offsets" -> {
                Map<String, Long> offsets = new TreeMap<>();
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                    .forEach((where, offset) -> offsets.put(where.topic() + " " + where.partition(), offset.offset()));
                return offsets;
            }
            case "setOffsets" -> {
                return admin.alterConsumerGroupOffsets(group, Map.of(at, new OffsetAndMetadata(order.get("offset").asLong()))).all().get();
            }
            case "deleteGroup" -> {
                return admin.deleteConsumerGroups(List.of(group)).all().get();
            }
            case "createAcl" -> {
                var entry = new AccessControlEntry("User:alice", "*", AclOperation.READ, AclPermissionType.ALLOW);
                return admin.createAcls(List.of(new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL), entry))).all().get();
            }
            case "acls" -> {
                return admin.describeAcls(aclsOf(topic)).values().get().size();
            }
            case "deleteAcls" -> {
                return admin.deleteAcls(List.of(aclsOf(topic))).all().get().size();
            }
            case "deleteTopic" -> {
                return admin.deleteTopics(List.of(topic)).all().get();
            }
            case "cluster" -> {
                return admin.describeCluster().nodes().get().stream().map(Node::id).sorted().toList();
            }
            default -> throw new IllegalArgumentException(word(order, "do"));
        }
    }

    private static AclBindingFilter aclsOf(String topic) {
        return new AclBindingFilter(new ResourcePatternFilter(ResourceType.TOPIC, topic, PatternType.LITERAL), AccessControlEntryFilter.ANY);
    }
}
