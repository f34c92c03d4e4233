# Endive, in Java.
. "$(dirname "$0")/lib.sh"
run_java() {
    mvn --batch-mode --quiet -Dmaven.repo.local="$scratch/java" -f examples/hosts/java/pom.xml compile exec:java "-Dexec.args=$1" |
        sed 's/\x1b\[[0-9;]*m//g; /^$/d' >output.txt # Maven puts colours around it
}
run_java app
diff expected.txt output.txt

# and WASI there
sed -i -e 's#>Load</exec.mainClass>#>Hello</exec.mainClass>#' \
    -e 's#</dependencies>#<dependency><groupId>run.endive</groupId><artifactId>wasi</artifactId><version>1.1.0</version></dependency>&#' \
    examples/hosts/java/pom.xml
cat >examples/hosts/java/src/main/java/Hello.java <<'END'
import java.nio.file.Path;
import run.endive.runtime.Store;
import run.endive.wasi.WasiOptions;
import run.endive.wasi.WasiPreview1;
import run.endive.wasm.Parser;

public class Hello {
  public static void main(String[] args) {
    var options = WasiOptions.builder().withStdout(System.out).build();
    var store = new Store().addFunction(WasiPreview1.builder().withOptions(options).build().toHostFunctions());
    store.instantiate("env", Parser.parse(Path.of(args[0], "env.wasm")));
    var hello = store.instantiate("hello", Parser.parse(Path.of(args[0], "hello.wasm")));
    hello.export("_initialize").apply();
    hello.export("hello").apply(1);
  }
}
END
run_java wasi
diff expected-wasi.txt output.txt
