import Glibc
import Shell

exit(Entry.run(Array(CommandLine.arguments.dropFirst())))
