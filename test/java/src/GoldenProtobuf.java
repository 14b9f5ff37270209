import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.AnyProto;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DurationProto;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.FieldMaskProto;
import com.google.protobuf.StructProto;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.WrappersProto;
import com.google.protobuf.util.JsonFormat;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes and reads messages by Protobuf's own library. A line in: JSON with `descriptor` (of the file, hexadecimal),
 * `message` (a full name), and `json` (Protobuf's JSON mapping) or `given` (bytes, hexadecimal). A line out: JSON with
 * `bytes`, `indexes` (of the message in its file, in Confluent's form) and `read` (JSON mapping).
 */
public class GoldenProtobuf {
  private static final ObjectMapper json = new ObjectMapper();
  private static final Map<String, FileDescriptor> known = Stream.of(
          AnyProto.getDescriptor(), DurationProto.getDescriptor(), EmptyProto.getDescriptor(),
          FieldMaskProto.getDescriptor(), StructProto.getDescriptor(), TimestampProto.getDescriptor(),
          WrappersProto.getDescriptor())
      .collect(Collectors.toMap(FileDescriptor::getName, Function.identity()));

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(json.readTree(line)));
    out.flush();
  }

  private static ObjectNode answer(JsonNode asked) throws Exception {
    FileDescriptorProto proto = FileDescriptorProto.parseFrom(HexFormat.of().parseHex(asked.get("descriptor").asText()));
    FileDescriptor[] imported = proto.getDependencyList().stream().map(known::get).toArray(FileDescriptor[]::new);
    FileDescriptor file = FileDescriptor.buildFrom(proto, imported);
    Descriptor type = messageOf(file, asked.get("message").asText());
    TypeRegistry types = TypeRegistry.newBuilder()
        .add(file.getMessageTypes()).add(DurationProto.getDescriptor().getMessageTypes()).build();
    DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
    if (asked.has("given")) builder.mergeFrom(HexFormat.of().parseHex(asked.get("given").asText()));
    else JsonFormat.parser().usingTypeRegistry(types).merge(asked.get("json").toString(), builder);
    byte[] bytes = bytesOf(builder.build());
    ObjectNode made = json.createObjectNode();
    made.put("bytes", HexFormat.of().formatHex(bytes));
    made.put("indexes", HexFormat.of().formatHex(indexes(type)));
    DynamicMessage read = DynamicMessage.parseFrom(type, bytes);
    made.set("read", json.readTree(JsonFormat.printer().usingTypeRegistry(types).print(read)));
    return made;
  }

  private static Descriptor messageOf(FileDescriptor file, String name) {
    Deque<Descriptor> rest = new ArrayDeque<>(file.getMessageTypes());
    while (!rest.isEmpty()) {
      Descriptor type = rest.pop();
      if (type.getFullName().equals(name)) return type;
      rest.addAll(type.getNestedTypes());
    }
    throw new IllegalArgumentException(name);
  }

  /** Entries of maps in the order of their keys. */
  private static byte[] bytesOf(DynamicMessage message) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    message.writeTo(out);
    out.flush();
    return bytes.toByteArray();
  }

  /** A single 0 for the first message; else how many indexes there are, and they, in zigzag form. */
  private static byte[] indexes(Descriptor type) throws Exception {
    Deque<Integer> path = new ArrayDeque<>();
    for (Descriptor each = type; each != null; each = each.getContainingType()) path.push(each.getIndex());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    if (path.size() == 1 && path.peek() == 0) out.writeSInt32NoTag(0);
    else {
      out.writeSInt32NoTag(path.size());
      for (int index : path) out.writeSInt32NoTag(index);
    }
    out.flush();
    return bytes.toByteArray();
  }
}
