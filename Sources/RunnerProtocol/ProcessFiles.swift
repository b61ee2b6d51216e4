/// What of a container's `/proc` something may be mounted on, as in runc: all of it else could hide what programs trust.
package enum ProcessFiles {
    /// Files that tell numbers of the host's, below `/proc`: LXCFS and its kin give a container numbers of its own.
    package static let replaceable = [
        "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "net/dev",
        "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
    ]
}
