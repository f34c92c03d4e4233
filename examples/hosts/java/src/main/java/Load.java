import run.endive.runtime.HostFunction;
import run.endive.runtime.Instance;
import run.endive.runtime.Store;
import run.endive.wasm.Parser;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.ValType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Load DIRECTORY: runs the modules of DIRECTORY/layout.json on one memory, in Endive. Its Store links modules by name:
 * env.wasm (combine --env) makes what they import from env.
 */
public class Load {
  /** The instances by name, with "env". The store has what modules import from the host. */
  static Map<String, Instance> load(Store store, Path directory) throws IOException {
    JsonNode layout = new ObjectMapper().readTree(directory.resolve("layout.json").toFile());
    Map<String, JsonNode> placed = new HashMap<>();
    layout.get("modules").forEach(module -> placed.put(module.get("name").asText(), module));
    Map<String, Instance> instances = new HashMap<>();
    instances.put("env", store.instantiate("env", Parser.parse(directory.resolve("env.wasm"))));
    for (JsonNode name : layout.get("instantiationOrder")) {
      Path file = directory.resolve(placed.get(name.asText()).get("file").asText());
      instances.put(name.asText(), store.instantiate(name.asText(), Parser.parse(file)));
    }
    for (JsonNode name : layout.get("instantiationOrder")) {
      JsonNode constructors = placed.get(name.asText()).get("constructors");
      if (!constructors.isNull())
        instances.get(name.asText()).export(constructors.asText()).apply();
    }
    return instances;
  }

  public static void main(String[] args) throws IOException {
    Map<String, Instance> instances = new HashMap<>();
    Store store = new Store().addFunction(new HostFunction("host", "report",
        FunctionType.of(List.of(ValType.I32, ValType.I32), List.of()), (caller, report) -> {
          String name = instances.get("env").exports().memory("memory").readCString((int) report[0]);
          System.out.printf("%-8s %2d%n", name, report[1]);
          return null;
        }));
    instances.putAll(load(store, Path.of(args[0])));
    Instance stock = instances.get("stock");
    stock.export("report_stock").apply();
    int cheapest = (int) stock.export("cheapest").apply()[0];
    System.out.println("cheapest: " + instances.get("env").exports().memory("memory").readCString(cheapest));
  }
}
