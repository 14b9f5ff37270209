import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Writes Kafka's messages as Kafka's own classes do. One line in is `name TAB version TAB flexible TAB json`; one line
 * out is the message in hexadecimal, behind it, for flexible versions, the same with a tagged field that nobody knows in every structure.
 */
public class Golden {
  public static void main(String[] args) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t", 4);
      short version = Short.parseShort(parts[1]);
      try {
        Message message = read(parts[0], version, mapper.readTree(parts[3]));
        String plain = hex(message, version);
        if (parts[2].equals("true")) {
          addUnknownTag(message);
          out.println(plain + " " + hex(message, version));
        } else {
          out.println(plain);
        }
      } catch (InvocationTargetException e) {
        throw new IllegalStateException(parts[0] + " version " + parts[1] + ": " + parts[3], e.getCause());
      }
    }
    out.flush();
  }

  private static Message read(String name, short version, JsonNode json) throws Exception {
    Class<?> converter = Class.forName("org.apache.kafka.common.message." + name + dataSuffix(name) + "JsonConverter");
    return (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, json, version);
  }

  private static void addUnknownTag(Message message) throws ReflectiveOperationException {
    for (Field field : message.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) continue;
      field.setAccessible(true);
      Object value = field.get(message);
      if (value instanceof Message) addUnknownTagUnlessDefault((Message) value);
      if (!(value instanceof Iterable)) continue;
      for (Object element : (Iterable<?>) value) {
        if (element instanceof Message) addUnknownTag((Message) element);
      }
    }
    message.unknownTaggedFields().add(new RawTaggedField(9999, new byte[] {1, 2, 3}));
  }

  // A structure that is as it was made may be one that the version lacks: with something in it, it is refused.
  private static void addUnknownTagUnlessDefault(Message message) throws ReflectiveOperationException {
    if (!message.equals(message.getClass().getDeclaredConstructor().newInstance())) addUnknownTag(message);
  }

  // Requests, responses and headers have classes that end in Data; other messages are named as they are.
  private static String dataSuffix(String name) {
    return name.matches(".*(Request|Response|Header)") ? "Data" : "";
  }

  private static String hex(Message message, short version) {
    ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
