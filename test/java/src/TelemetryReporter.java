import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetry;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.server.telemetry.ClientTelemetryReceiver;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;

/**
 * A plug-in of brokers (metric.reporters) that receives what clients push (KIP-714), and writes each push as a line of
 * JSON to the file of ottla.telemetry.file. It is read with Kafka's own classes.
 */
public class TelemetryReporter implements MetricsReporter, ClientTelemetry, ClientTelemetryReceiver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private Path file;

    @Override
    public void configure(Map<String, ?> configs) {
        file = Path.of((String) configs.get("ottla.telemetry.file"));
    }

    @Override
    public ClientTelemetryReceiver clientReceiver() {
        return this;
    }

    @Override
    public synchronized void exportMetrics(AuthorizableRequestContext context, ClientTelemetryPayload payload) {
        try {
            Map<String, Object> push = new TreeMap<>();
            push.put("clientId", context.clientId());
            push.put("clientInstanceId", payload.clientInstanceId().toString());
            push.put("terminating", payload.isTerminating());
            push.put("contentType", payload.contentType());
            push.put("resource", new TreeMap<String, Object>());
            push.put("metrics", new ArrayList<>());
            read(payload.data(), push);
            Files.writeString(file, JSON.writeValueAsString(push) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked")
    private static void read(ByteBuffer data, Map<String, Object> push) throws IOException {
        byte[] bytes = new byte[data.remaining()];
        data.duplicate().get(bytes);
        var resource = (Map<String, Object>) push.get("resource");
        var metrics = (List<Object>) push.get("metrics");
        for (var ofResource : MetricsData.parseFrom(bytes).getResourceMetricsList()) {
            resource.putAll(attributes(ofResource.getResource().getAttributesList()));
            for (var ofScope : ofResource.getScopeMetricsList()) {
                for (Metric metric : ofScope.getMetricsList()) metrics.add(metric(metric));
            }
        }
    }

    private static Map<String, Object> metric(Metric metric) {
        Map<String, Object> described = new TreeMap<>();
        described.put("name", metric.getName());
        described.put("unit", metric.getUnit());
        described.put("type", metric.getDataCase().name().toLowerCase());
        List<NumberDataPoint> points = List.of();
        if (metric.hasGauge()) points = metric.getGauge().getDataPointsList();
        if (metric.hasSum()) {
            points = metric.getSum().getDataPointsList();
            described.put("temporality", metric.getSum().getAggregationTemporality().name());
            described.put("monotonic", metric.getSum().getIsMonotonic());
        }
        List<Object> read = new ArrayList<>();
        for (NumberDataPoint point : points) {
            read.add(Map.of(
                "attributes", attributes(point.getAttributesList()),
                "value", point.hasAsInt() ? (double) point.getAsInt() : point.getAsDouble(),
                "startNanos", Long.toString(point.getStartTimeUnixNano()),
                "atNanos", Long.toString(point.getTimeUnixNano())));
        }
        described.put("points", read);
        return described;
    }

    private static Map<String, Object> attributes(List<KeyValue> list) {
        Map<String, Object> read = new TreeMap<>();
        for (KeyValue each : list) {
            var value = each.getValue();
            read.put(each.getKey(), value.hasIntValue() ? (Object) value.getIntValue() : value.getStringValue());
        }
        return read;
    }

    @Override
    public void init(List<KafkaMetric> metrics) { }

    @Override
    public void metricChange(KafkaMetric metric) { }

    @Override
    public void metricRemoval(KafkaMetric metric) { }

    @Override
    public void close() { }
}
