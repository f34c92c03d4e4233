# Endive, in Java.
. "$(dirname "$0")/lib.sh"
mvn --batch-mode --quiet -Dmaven.repo.local="$scratch/java" -f examples/hosts/java/pom.xml compile exec:java -Dexec.args=app |
    sed 's/\x1b\[[0-9;]*m//g; /^$/d' >output.txt # Maven puts colours around it
diff expected.txt output.txt
