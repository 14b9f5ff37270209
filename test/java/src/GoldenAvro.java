import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

/**
 * Writes and reads values by Avro's own library. A line in: JSON with `schema`, perhaps `reader`, and `json` (a value in
 * Avro's JSON encoding) or `decimal` (text). A line out: JSON with `bytes`, `blocked` (arrays and maps in blocks with
 * their sizes), `text` (the schema as the library prints it), `read` (JSON encoding of what `reader` reads).
 */
public class GoldenAvro {
  private static final ObjectMapper json = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(json.readTree(line)));
    out.flush();
  }

  private static ObjectNode answer(JsonNode asked) throws Exception {
    Schema writer = new Schema.Parser().parse(asked.get("schema").toString());
    ObjectNode made = json.createObjectNode();
    made.put("text", writer.toString());
    if (asked.has("decimal")) {
      made.put("bytes", hex(encoded(writer, decimal(writer, asked.get("decimal").asText()), false)));
      return made;
    }
    Object value = new GenericDatumReader<>(writer)
        .read(null, DecoderFactory.get().jsonDecoder(writer, asked.get("json").toString()));
    byte[] bytes = encoded(writer, value, false);
    made.put("bytes", hex(bytes));
    made.put("blocked", hex(encoded(writer, value, true)));
    if (!asked.has("reader")) return made;
    Schema reader = new Schema.Parser().parse(asked.get("reader").toString());
    Object read = new GenericDatumReader<>(writer, reader).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(reader, text);
    new GenericDatumWriter<>(reader).write(read, encoder);
    encoder.flush();
    made.set("read", json.readTree(text.toString(StandardCharsets.UTF_8)));
    return made;
  }

  private static Object decimal(Schema schema, String text) {
    LogicalTypes.Decimal type = (LogicalTypes.Decimal) schema.getLogicalType();
    BigDecimal value = new BigDecimal(text).setScale(type.getScale());
    Conversions.DecimalConversion conversion = new Conversions.DecimalConversion();
    if (schema.getType() == Schema.Type.FIXED) return (GenericFixed) conversion.toFixed(value, schema, type);
    return (ByteBuffer) conversion.toBytes(value, schema, type);
  }

  private static byte[] encoded(Schema schema, Object value, boolean isBlocked) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    EncoderFactory factory = new EncoderFactory().configureBlockSize(64);
    BinaryEncoder encoder = isBlocked ? factory.blockingBinaryEncoder(bytes, null) : factory.binaryEncoder(bytes, null);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    return bytes.toByteArray();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
