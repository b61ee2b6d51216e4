import Basics

/// What went wrong while a template was filled in, and at which node.
struct TemplateFailure: Error {
    var message: String
    var position: Int
    /// The node, as Go prints it.
    var source: String
}

/// A value inside a template: a document, or nothing at all.
struct TemplateValue: Sendable {
    /// `nil` is Go's invalid value, `<no value>` when printed.
    var document: JSONDocument?
    /// The member it was read from: docker's types say how a null there prints.
    var key: String?

    init(_ document: JSONDocument?, key: String? = nil) {
        self.document = document
        self.key = key
    }

    var isTrue: Bool {
        switch document {
        case nil, .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
        case .array(let values): !values.isEmpty
        case .object(let members): !members.isEmpty
        }
    }
}

/// Walks a template's tree.
struct TemplateEvaluator {
    private enum Flow {
        case next
        case breakLoop
        case continueLoop
    }

    let missing: Template.Missing
    let methods: [String: Template.Method]
    let isHeader: Bool
    private var variables: [(name: String, value: TemplateValue)]
    private var out = ""

    /// The longest output in bytes, 256 MiB: more comes from a template that does not end.
    private static let longest = 256 << 20

    init(root: JSONDocument, missing: Template.Missing, methods: [String: Template.Method], isHeader: Bool) {
        self.missing = missing
        self.methods = methods
        self.isHeader = isHeader
        variables = [("$", TemplateValue(root))]
    }

    mutating func run(_ nodes: [TemplateNode]) throws(TemplateFailure) -> String {
        _ = try walk(nodes, dot: variables[0].value)
        return out
    }

    private mutating func walk(_ nodes: [TemplateNode], dot: TemplateValue) throws(TemplateFailure) -> Flow {
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        for node in nodes {
            switch node {
            case .text(let text): out += text
            case .action(let pipeline):
                let value = try evaluate(pipeline, dot: dot)
                if pipeline.variables.isEmpty { out += GoText.printed(value) }
                if out.utf8.count > Self.longest {
                    throw TemplateFailure(message: "output too long", position: pipeline.position, source: "")
                }
            case .condition(let pipeline, let then, let otherwise):
                let flow = try branch(pipeline, then, otherwise, dot: dot, binds: false)
                if flow != .next { return flow }
            case .with(let pipeline, let then, let otherwise):
                let flow = try branch(pipeline, then, otherwise, dot: dot, binds: true)
                if flow != .next { return flow }
            case .range(let pipeline, let body, let otherwise):
                try range(pipeline, body, otherwise, dot: dot)
            case .breakLoop: return .breakLoop
            case .continueLoop: return .continueLoop
            }
        }
        return .next
    }

    private mutating func branch(
        _ pipeline: TemplatePipeline, _ then: [TemplateNode], _ otherwise: [TemplateNode], dot: TemplateValue,
        binds: Bool
    ) throws(TemplateFailure) -> Flow {
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        let value = try evaluate(pipeline, dot: dot)
        return try value.isTrue ? walk(then, dot: binds ? value : dot) : walk(otherwise, dot: dot)
    }

    private mutating func range(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], dot: TemplateValue
    ) throws(TemplateFailure) {
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        var plain = pipeline
        plain.variables = []
        let value = try evaluate(plain, dot: dot)
        let pairs = try elements(of: value, pipeline)
        if pairs.isEmpty {
            _ = try walk(otherwise, dot: dot)
            return
        }
        for (key, element) in pairs {
            let inner = variables.count
            defer { variables.removeLast(variables.count - inner) }
            if pipeline.variables.count == 2 {
                set(pipeline.variables[0], TemplateValue(key), assigns: pipeline.assigns)
                set(pipeline.variables[1], TemplateValue(element), assigns: pipeline.assigns)
            } else if let name = pipeline.variables.first {
                set(name, TemplateValue(element), assigns: pipeline.assigns)
            }
            if try walk(body, dot: TemplateValue(element)) == .breakLoop { break }
        }
    }

    private func elements(
        of value: TemplateValue, _ pipeline: TemplatePipeline
    ) throws(TemplateFailure) -> [(JSONDocument, JSONDocument)] {
        switch value.document {
        case nil, .null: return []
        case .array(let values): return values.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .object(let members):
            return members.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .integer(let count) where count <= 1_000_000:
            return (0..<max(0, count)).map { (.integer($0), .integer($0)) }
        case .bool, .integer, .number, .string:
            throw TemplateFailure(
                message: "range can't iterate over \(GoText.printed(value))", position: pipeline.position,
                source: pipeline.source)
        }
    }

    private mutating func set(_ name: String, _ value: TemplateValue, assigns: Bool) {
        if assigns, let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }

    // MARK: Pipelines and commands

    private mutating func evaluate(
        _ pipeline: TemplatePipeline, dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateValue {
        var value: TemplateValue?
        for command in pipeline.commands {
            value = try evaluate(command, dot: dot, final: value)
        }
        let result = value ?? TemplateValue(nil)
        for name in pipeline.variables { set(name, result, assigns: pipeline.assigns) }
        return result
    }

    private mutating func evaluate(
        _ command: TemplateCommand, dot: TemplateValue, final: TemplateValue?
    ) throws(TemplateFailure) -> TemplateValue {
        guard let first = command.operands.first else { return TemplateValue(nil) }
        let hasArguments = command.operands.count > 1 || final != nil
        switch first.kind {
        case .function(let name): return try call(name, command, dot: dot, final: final)
        case .field(let names) where hasArguments:
            return try method(names, on: dot, command, dot: dot, final: final)
        case .variable(let name, let names) where hasArguments && !names.isEmpty:
            return try method(names, on: variable(name), command, dot: dot, final: final)
        case .null:
            throw TemplateFailure(message: "nil is not a command", position: first.position, source: "nil")
        default:
            if hasArguments {
                throw TemplateFailure(
                    message: "can't give argument to non-function \(first.source)", position: command.position,
                    source: first.source)
            }
            return try evaluate(first, dot: dot)
        }
    }

    private mutating func evaluate(
        _ operand: TemplateOperand, dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateValue {
        switch operand.kind {
        case .dot: return dot
        case .null: return TemplateValue(.null)
        case .constant(let value): return TemplateValue(value)
        case .field(let names): return try member(names, of: dot, operand)
        case .variable(let name, let names): return try member(names, of: variable(name), operand)
        case .group(let pipeline, let names):
            return try member(names, of: try evaluate(pipeline, dot: dot), operand)
        case .function(let name):
            let command = TemplateCommand(position: operand.position, operands: [operand])
            return try call(name, command, dot: dot, final: nil)
        }
    }

    private func variable(_ name: String) -> TemplateValue {
        variables.last { $0.name == name }?.value ?? TemplateValue(nil)
    }

    /// The member that a chain of names leads to.
    private func member(
        _ names: [String], of start: TemplateValue, _ operand: TemplateOperand
    ) throws(TemplateFailure) -> TemplateValue {
        var value = start
        for (place, name) in names.enumerated() {
            func failure(_ message: String) -> TemplateFailure {
                TemplateFailure(message: message, position: operand.position, source: operand.source)
            }
            switch value.document {
            case .object:
                if let found = value.document?[name] {
                    value = TemplateValue(found, key: name)
                } else if let method = methods[name], let document = value.document, value.key == nil {
                    value = TemplateValue(method(document, []), key: name)
                } else {
                    switch missing {
                    case .noField(let type) where value.key == nil:
                        throw failure("can't evaluate field \(name) in type \(type)")
                    case .noEntry where !GoText.isMap(value.key):
                        guard place == names.count - 1, let none = GoText.leftOut(name, of: value.key) else {
                            throw failure("map has no entry for key \(TemplateLexer.quoted(name))")
                        }
                        value = TemplateValue(none, key: name)
                    default: value = TemplateValue(nil, key: name)
                    }
                }
            case nil, .null:
                // A member of a nil map is empty and no error; a member of a nil pointer is an error.
                if missing == .noEntry, !GoText.isMap(value.key) {
                    throw failure("nil pointer evaluating interface {}.\(name)")
                }
                value = TemplateValue(nil, key: name)
            default: throw failure("can't evaluate field \(name) in type \(GoText.typeName(value.document))")
            }
        }
        return value
    }

    private mutating func method(
        _ names: [String], on start: TemplateValue, _ command: TemplateCommand, dot: TemplateValue,
        final: TemplateValue?
    ) throws(TemplateFailure) -> TemplateValue {
        guard let last = names.last, let operand = command.operands.first else { return TemplateValue(nil) }
        let receiver = try member(Array(names.dropLast()), of: start, operand)
        var arguments: [JSONDocument] = []
        for argument in command.operands.dropFirst() {
            arguments.append(try evaluate(argument, dot: dot).document ?? .null)
        }
        if let final { arguments.append(final.document ?? .null) }
        guard let method = methods[last], let document = receiver.document else {
            throw TemplateFailure(
                message: "\(last) has arguments but cannot be invoked as function", position: operand.position,
                source: operand.source)
        }
        return TemplateValue(method(document, arguments), key: last)
    }

    /// Calls a function; `and` and `or` evaluate no more arguments than they need.
    private mutating func call(
        _ name: String, _ command: TemplateCommand, dot: TemplateValue, final: TemplateValue?
    ) throws(TemplateFailure) -> TemplateValue {
        func failure(_ message: String) -> TemplateFailure {
            TemplateFailure(message: message, position: command.position, source: command.source)
        }
        var arguments: [TemplateValue] = []
        for operand in command.operands.dropFirst() {
            let value = try evaluate(operand, dot: dot)
            arguments.append(value)
            if name == "and", !value.isTrue { return value }
            if name == "or", value.isTrue { return value }
        }
        if let final { arguments.append(final) }
        do throws(TemplateFunctions.Failure) {
            return try TemplateFunctions.call(name, arguments, isHeader: isHeader)
        } catch {
            throw failure(error.isOfCall ? "error calling \(name): \(error.message)" : error.message)
        }
    }
}
