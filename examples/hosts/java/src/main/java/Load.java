import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import run.endive.runtime.HostFunction;
import run.endive.runtime.Instance;
import run.endive.runtime.Store;
import run.endive.wasm.Parser;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.ValType;

/** Load DIRECTORY: runs the modules of DIRECTORY/layout.json in Endive, on the memory that env.wasm makes. */
public class Load {
  /** Puts the instances by name there, with "env". The store, which links by name, has what they import from the host. */
  static void load(Store store, Path directory, Map<String, Instance> instances) throws IOException {
    JsonNode layout = new ObjectMapper().readTree(directory.resolve("layout.json").toFile());
    instances.put("env", store.instantiate("env", Parser.parse(directory.resolve("env.wasm"))));
    for (JsonNode each : layout.get("instantiationOrder")) {
      String name = each.asText();
      instances.put(name, store.instantiate(name, Parser.parse(directory.resolve(name + ".wasm"))));
    }
    for (JsonNode name : layout.get("instantiationOrder"))
      for (JsonNode module : layout.get("modules"))
        if (module.get("name").equals(name) && !module.get("constructors").isNull())
          instances.get(name.asText()).export(module.get("constructors").asText()).apply();
  }

  public static void main(String[] args) throws IOException {
    Map<String, Instance> instances = new HashMap<>();
    Store store = new Store().addFunction(new HostFunction("host", "report",
        FunctionType.of(List.of(ValType.I32, ValType.I32), List.of()), (caller, report) -> {
          String name = instances.get("env").exports().memory("memory").readCString((int) report[0]);
          System.out.printf("%-8s %2d%n", name, report[1]);
          return null;
        }));
    load(store, Path.of(args[0]), instances);
    instances.get("stock").export("report_stock").apply();
    int cheapest = (int) instances.get("stock").export("cheapest").apply()[0];
    System.out.println("cheapest: " + instances.get("env").exports().memory("memory").readCString(cheapest));
  }
}
