import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** What Kafka's assignors deal out. A JSON scenario a line in, the assignments of each strategy a line out. */
public class Assignors {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode scenario = JSON.readTree(line);
            Map<String, Object> out = new TreeMap<>();
            for (AbstractPartitionAssignor assignor : List.of(new RangeAssignor(), new RoundRobinAssignor(), new CooperativeStickyAssignor())) {
                var dealt = assignor.assignPartitions(partitions(scenario), subscriptions(scenario));
                Map<String, List<String>> shown = new TreeMap<>();
                dealt.forEach((member, list) -> shown.put(member, list.stream().map(tp -> tp.topic() + "-" + tp.partition()).sorted().toList()));
                out.put(assignor.name(), shown);
            }
            System.out.println(JSON.writeValueAsString(out));
        }
    }

    private static Map<String, List<PartitionInfo>> partitions(JsonNode scenario) {
        Map<String, List<PartitionInfo>> all = new HashMap<>();
        scenario.get("topics").fields().forEachRemaining(topic -> {
            List<PartitionInfo> list = new ArrayList<>();
            int number = 0;
            for (JsonNode racks : topic.getValue()) {
                List<Node> nodes = new ArrayList<>();
                for (JsonNode rack : racks) nodes.add(new Node(nodes.size(), "host", 1, rack.asText()));
                Node[] replicas = nodes.toArray(Node[]::new);
                list.add(new PartitionInfo(topic.getKey(), number++, replicas.length == 0 ? null : replicas[0], replicas, replicas));
            }
            all.put(topic.getKey(), list);
        });
        return all;
    }

    private static Map<String, Subscription> subscriptions(JsonNode scenario) {
        Map<String, Subscription> all = new HashMap<>();
        for (JsonNode member : scenario.get("members")) {
            List<String> topics = new ArrayList<>();
            member.get("topics").forEach(topic -> topics.add(topic.asText()));
            List<TopicPartition> owned = new ArrayList<>();
            for (JsonNode one : member.get("owned")) {
                int dash = one.asText().lastIndexOf('-');
                owned.add(new TopicPartition(one.asText().substring(0, dash), Integer.parseInt(one.asText().substring(dash + 1))));
            }
            Optional<String> rack = member.hasNonNull("rack") ? Optional.of(member.get("rack").asText()) : Optional.empty();
            var subscription = new Subscription(topics, null, owned, member.get("generation").asInt(), rack);
            if (member.hasNonNull("instance")) subscription.setGroupInstanceId(Optional.of(member.get("instance").asText()));
            all.put(member.get("id").asText(), subscription);
        }
        return all;
    }
}
