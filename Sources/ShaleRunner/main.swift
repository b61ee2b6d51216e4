import Glibc
import Linux
import RunnerProtocol

StandardDescriptors.reserve()
// One runner per container: descriptor 3 brings the plan and takes the answers.
umask(0)
RunnerProgram.main(channel: 3)
