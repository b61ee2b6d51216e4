import Basics
import FoundationEssentials
import OCI

/// Header fields in their order, names compared without case.
package struct HTTPHeaders: Sendable, Equatable {
    package private(set) var fields: [(name: String, value: String)] = []

    package init(_ fields: [(String, String)] = []) {
        self.fields = fields.map { (name: $0.0, value: $0.1) }
    }

    /// The first value of a field.
    package subscript(name: String) -> String? { all(name).first }

    /// Every value of a field.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    package mutating func append(_ name: String, _ value: String) { fields.append((name: name, value: value)) }

    package mutating func remove(_ name: String) { fields.removeAll { $0.name.lowercased() == name.lowercased() } }

    package static func == (left: HTTPHeaders, right: HTTPHeaders) -> Bool {
        left.fields.count == right.fields.count && zip(left.fields, right.fields).allSatisfy { $0 == $1 }
    }
}

/// What a request sends after its header.
enum HTTPBody {
    case none
    case data(Data)
    /// So many bytes from a source, made again for each time the request is sent.
    case stream(length: Int64, source: () -> BodySource)
}

/// Where an upload's bytes come from; 0 bytes is the end.
typealias BodySource = (UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int
/// Where a successful answer's bytes go, with its head.
typealias BodySink = (HTTPHead, UnsafeRawBufferPointer) throws(ShaleError) -> BodyDemand

/// How much of a body its reader still wants.
enum BodyDemand {
    case more
    /// The transfer ends here, without an error.
    case enough
}

/// One request, to one address.
struct HTTPRequest {
    var method = "GET"
    var url: WebURL
    var headers = HTTPHeaders()
    var body = HTTPBody.none
    /// Whether the server must prove who it is.
    var verifiesPeer = true
    /// What the host's own folder of certificates holds.
    var certificates: HostCertificates?
    /// An answer's body is refused beyond this many bytes, unless a sink takes it.
    var limit = OCIDocument.largest
}

/// An answer without its body.
struct HTTPHead: Sendable, Equatable {
    var status = 0
    var headers = HTTPHeaders()

    var isSuccess: Bool { (200..<300).contains(status) }
    var contentLength: Int64? { headers["content-length"].flatMap { Int64($0) } }
    /// The media type without its parameters, lower case.
    var contentType: String? {
        headers["content-type"].map {
            $0.prefix { $0 != ";" }.trimmingBlanks.lowercased()
        }
    }
}

/// An answer with the body it came with (none where a sink took it).
struct HTTPAnswer: Sendable {
    var head: HTTPHead
    var body: Data
    /// The address that answered, after redirects.
    var url: WebURL
}
