import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.FileScanTask;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.Schema;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.SupportsNamespaces;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.types.Types;

/** `create PROPERTIES` makes the table bench.content; `files PROPERTIES` prints the paths of its present data files. */
public class Table {
  public static void main(String[] arguments) throws Exception {
    Properties read = new Properties();
    try (var file = Files.newBufferedReader(Path.of(arguments[1]))) {
      read.load(file);
    }
    Map<String, String> properties = new HashMap<>();
    String prefix = "iceberg.catalog.";
    for (String name : read.stringPropertyNames()) {
      if (name.startsWith(prefix)) properties.put(name.substring(prefix.length()), read.getProperty(name));
    }
    var catalog = CatalogUtil.buildIcebergCatalog("iceberg", properties, null);
    var name = TableIdentifier.of("bench", "content");
    if (arguments[0].equals("create")) {
      ((SupportsNamespaces) catalog).createNamespace(Namespace.of("bench"));
      var kafka =
          Types.StructType.of(
              Types.NestedField.optional(11, "topic", Types.StringType.get()),
              Types.NestedField.optional(12, "partition", Types.IntegerType.get()),
              Types.NestedField.optional(13, "offset", Types.LongType.get()),
              Types.NestedField.optional(14, "timestamp", Types.LongType.get()),
              Types.NestedField.optional(15, "timestamp_type", Types.StringType.get()));
      var schema =
          new Schema(
              Types.NestedField.required(1, "id", Types.StringType.get()),
              Types.NestedField.required(2, "customer", Types.StringType.get()),
              Types.NestedField.required(3, "text", Types.StringType.get()),
              Types.NestedField.optional(4, "user", Types.StringType.get()),
              Types.NestedField.optional(5, "type", Types.StringType.get()),
              Types.NestedField.optional(6, "lang", Types.StringType.get()),
              Types.NestedField.required(7, "created_at", Types.TimestampType.withZone()),
              Types.NestedField.optional(8, "_kafka_metadata", kafka));
      var spec = PartitionSpec.builderFor(schema).identity("customer").hour("created_at").build();
      var options = Map.of("write.parquet.compression-codec", "zstd", "write.parquet.compression-level", "1");
      catalog.createTable(name, schema, spec, options);
      return;
    }
    try (CloseableIterable<FileScanTask> tasks = catalog.loadTable(name).newScan().planFiles()) {
      for (FileScanTask task : tasks) System.out.println(task.file().location());
    }
  }
}
