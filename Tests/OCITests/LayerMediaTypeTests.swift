import OCI
import Testing

@Suite("docker's layer types in an OCI manifest")
struct LayerMediaTypeTests {
    @Test(arguments: [
        ("diff.tar", "tar"), ("diff.tar.gzip", "tar+gzip"), ("diff.tar.zstd", "tar+zstd"),
    ]) func haveOCIsNames(_ docker: String, _ oci: String) {
        let prefix = "application/vnd.docker.image.rootfs."
        #expect(MediaType.oci(prefix + docker) == "application/vnd.oci.image.layer.v1.\(oci)")
        #expect(
            MediaType.oci("\(prefix)foreign.\(docker)") == "application/vnd.oci.image.layer.nondistributable.v1.\(oci)")
        // What is OCI's already stays.
        #expect(
            MediaType.oci("application/vnd.oci.image.layer.v1.\(oci)") == "application/vnd.oci.image.layer.v1.\(oci)")
    }
}
