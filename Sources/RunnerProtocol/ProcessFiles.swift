/// The files of a container's `/proc` that may be mount points, as in runc: a mount on any other could hide what
/// programs trust.
package enum ProcessFiles {
    /// Files below `/proc` that show numbers of the host: LXCFS and similar programs give a container numbers of its
    /// own.
    package static let replaceable = [
        "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "net/dev",
        "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
    ]
}
