import Glibc
import Shell

exit(Entry.run())
