import Basics

enum ShaleErrorSample {
    static let engine = ShaleError(.engine, "it failed")
    static let usage = ShaleError(.usage, "wrong usage")
    static let notFound = ShaleError(.commandNotFound, "no such program")
}
