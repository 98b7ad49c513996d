//===- Source.cpp - reading the text of diagrams --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's parser gives its errors no codes, so the table below knows some of
// them by their text. Each row has a test; where a new MLIR words one
// otherwise, its own text is shown again.
//===----------------------------------------------------------------------===//

#include "napkin/Pipelines/Source.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace napkin::pipelines;
using llvm::StringRef;

std::optional<llvm::SMLoc> napkin::pipelines::findTooDeep(StringRef text) {
  unsigned depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '/':
      if (text.substr(i).starts_with("//"))
        i = std::min(text.find('\n', i), text.size()) - 1;
      break;
    case '"':
      for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i)
        i += text[i] == '\\';
      break;
    case '{':
    case '(':
    case '[':
    case '<':
      if (++depth > deepestNesting)
        return llvm::SMLoc::getFromPointer(text.data() + i);
      break;
    case '>':
      // The head of an arrow closes nothing.
      if (i && text[i - 1] == '-')
        break;
      [[fallthrough]];
    case '}':
    case ')':
    case ']':
      depth -= depth > 0;
      break;
    default:
      break;
    }
  }
  return std::nullopt;
}

std::string napkin::pipelines::tooDeepMessage() {
  return "brackets nest deeper than " + std::to_string(deepestNesting) +
         " levels here; a diagram needs two or three";
}

namespace {

/// Where in the text an error is.
struct Place {
  StringRef text;
  size_t offset;
  MLIRContext *context;

  /// The word that begins at the place: a name with its sigil, an operation, or
  /// one character.
  StringRef word() const {
    StringRef rest = text.substr(offset).ltrim();
    size_t length = rest.find_if_not(isOfWord, !rest.empty());
    return rest.substr(0, length);
  }
  /// The word that ends at the place.
  StringRef wordBefore() const {
    StringRef rest = text.take_front(offset).rtrim();
    size_t end = rest.size();
    size_t begin = end;
    while (begin && isOfWord(rest[begin - 1]))
      --begin;
    while (begin && StringRef("!#%").contains(rest[begin - 1]))
      --begin;
    return rest.substr(begin);
  }
  bool isAtEnd() const { return text.substr(offset).trim().empty(); }

private:
  static bool isOfWord(char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$' || c == '-';
  }
};

/// A message of MLIR's parser, and what is said in its place. Empty: as it is.
struct Explanation {
  llvm::StringLiteral begin, part;
  std::string (*explain)(const Place &place, StringRef message);
};

} // namespace

/// Whether \p name, a value, is defined anywhere in \p text: before an equals
/// sign, or as an argument. (A use has a blank before its colon.)
static bool isDefinedSomewhere(StringRef text, StringRef name) {
  std::string escaped = llvm::Regex::escape(name);
  llvm::Regex pattern("(^|[^A-Za-z0-9_$.-])" + escaped +
                      "([ \t]*=|:[^:])|\\([ \t]*" + escaped + "[ \t]*:");
  return pattern.match(text);
}

static std::string explainUndefined(const Place &place, StringRef) {
  std::string name = place.word().str();
  if (isDefinedSomewhere(place.text, name))
    return "value '" + name +
           "' cannot be used here: the body of an operation sees its own "
           "arguments and what it defines above; make an array an operand of "
           "the operation, and write constants inside of the body";
  return "value '" + name +
         "' is not defined; define it above, or correct its name";
}

static std::string foreignDialect(StringRef operation) {
  return ("'" + operation + "' is of the dialect '" +
          operation.split('.').first +
          "', which is not read here: diagrams are written in ncd, the bodies "
          "of their operations in arith and math")
      .str();
}

static std::string explainDialect(const Place &place, StringRef) {
  return foreignDialect(place.word());
}

static std::string explainUnregistered(const Place &place, StringRef) {
  // The name stands in quotes before the place.
  StringRef before = place.text.take_front(place.offset).rtrim();
  before.consume_back("\"");
  return foreignDialect(before.rsplit('"').second);
}

static std::string explainUnknown(const Place &place, StringRef message) {
  StringRef name = message.split('\'').second.split('\'').first;
  if (!name.contains('.'))
    return ("'" + name +
            "' is no operation; a file holds diagrams, each as in 'ncd.diagram "
            "@name(%x: !ncd.array<n=64, f32>) -> ... { ... }'")
        .str();
  StringRef nearest;
  // One letter in three may be wrong.
  unsigned least = std::min<size_t>(2, name.split('.').second.size() / 3) + 1;
  for (RegisteredOperationName known :
       place.context->getRegisteredOperations()) {
    unsigned distance = name.edit_distance(known.getStringRef(), true, least);
    if (distance < least) {
      least = distance;
      nearest = known.getStringRef();
    }
  }
  std::string text = ("'" + name + "' is no operation").str();
  if (!nearest.empty())
    text += ("; did you mean '" + nearest + "'?").str();
  return text;
}

static std::string explainAlias(const Place &place, StringRef) {
  StringRef name = place.wordBefore();
  if (!name.starts_with("!"))
    return "";
  return ("type '" + name +
          "' is not defined; define it at the top of the file, as in '" + name +
          " = !ncd.array<x=512, f32>'")
      .str();
}

static std::string explainType(const Place &place, StringRef) {
  return ("'" + place.word() +
          "' is no type; an array's is written '!ncd.array<x=512, f32>', a "
          "scalar's f32, bf16, f16, i32, i1 or index")
      .str();
}

static std::string explainRedefinition(const Place &, StringRef message) {
  StringRef name = message.split('\'').second.split('\'').first;
  return ("value '" + name +
          "' is defined twice; give the second one a name of its own")
      .str();
}

static std::string explainSymbol(const Place &, StringRef message) {
  StringRef name = message.split('\'').second.split('\'').first;
  return ("a diagram '" + name +
          "' is above already; give this one a name of its own")
      .str();
}

static std::string explainNumber(const Place &place, StringRef) {
  return ("'" + place.word() +
          "' is more than a size can be; positions of one axis reach about "
          "2^31")
      .str();
}

static std::string explainOperation(const Place &place, StringRef) {
  if (place.isAtEnd())
    return "the file ends inside of a diagram or a body: a '}' is missing";
  return ("'" + place.word() +
          "' cannot begin an operation; expected one, as in '%y = ncd.map "
          "...', or '}'")
      .str();
}

static std::string explainDots(const Place &, StringRef) {
  return "'.' cannot begin an operation; a file of PTX goes to napkin-run";
}

static std::string explainAttributeName(const Place &place, StringRef) {
  return place.word().starts_with("#") ? "a comment begins with '//', not '#'"
                                       : "";
}

static std::string explainTypes(const Place &, StringRef message) {
  return (message +
          "; convert the value where it is used (arith.extf, arith.truncf, "
          "arith.sitofp, arith.fptosi, ...)")
      .str();
}

static const Explanation explanations[] = {
    {"use of undeclared SSA value name", "", explainUndefined},
    {"Dialect `", "not found for custom op", explainDialect},
    {"operation being parsed with an unregistered dialect", "",
     explainUnregistered},
    {"custom op '", "' is unknown", explainUnknown},
    {"undefined symbol alias id", "", explainAlias},
    {"expected non-function type", "", explainType},
    {"redefinition of SSA value", "", explainRedefinition},
    {"redefinition of symbol", "", explainSymbol},
    {"integer value too large", "", explainNumber},
    {"expected operation name in quotes", "", explainOperation},
    {"invalid attribute name", "", explainAttributeName},
    {"expected three consecutive dots", "", explainDots},
    {"use of value '", "expects different type", explainTypes},
};

/// What is said in place of \p message; empty: the message itself.
static std::string explained(const Place &place, StringRef message) {
  for (const Explanation &row : explanations)
    if (message.starts_with(row.begin) && message.contains(row.part))
      return row.explain(place, message);
  return "";
}

/// \p location in the main buffer of \p manager.
static std::optional<size_t> offsetOf(const llvm::SourceMgr &manager,
                                      Location location) {
  auto place = dyn_cast<FileLineColLoc>(location);
  if (!place)
    return std::nullopt;
  unsigned buffer = manager.getMainFileID();
  // FindLocForLineAndColumn() only reads.
  llvm::SMLoc found =
      const_cast<llvm::SourceMgr &>(manager).FindLocForLineAndColumn(
          buffer, place.getLine(), place.getColumn());
  if (!found.isValid())
    return std::nullopt;
  return found.getPointer() - manager.getMemoryBuffer(buffer)->getBufferStart();
}

/// Emits an error about a text that the parser should not even try.
static LogicalResult checkReadable(const llvm::SourceMgr &manager,
                                   MLIRContext *context) {
  const llvm::MemoryBuffer *buffer =
      manager.getMemoryBuffer(manager.getMainFileID());
  StringRef text = buffer->getBuffer();
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 &&
        !StringRef("\t\n\v\f\r").contains(c))
      // Without a place, so that no line of it is shown.
      return emitError(UnknownLoc::get(context))
             << buffer->getBufferIdentifier()
             << " is no text of a diagram: it holds a byte of value " << int(c);
  if (std::optional<llvm::SMLoc> deep = findTooDeep(text)) {
    auto [line, column] = manager.getLineAndColumn(*deep);
    return emitError(FileLineColLoc::get(context, buffer->getBufferIdentifier(),
                                         line, column))
           << tooDeepMessage();
  }
  return success();
}

OwningOpRef<ModuleOp>
napkin::pipelines::parseSource(const llvm::SourceMgr &manager,
                               MLIRContext *context) {
  if (failed(checkReadable(manager, context)))
    return nullptr;
  StringRef text =
      manager.getMemoryBuffer(manager.getMainFileID())->getBuffer();
  std::string last;
  bool isExplaining = false;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    std::optional<size_t> offset = offsetOf(manager, diagnostic.getLocation());
    if (isExplaining || !offset ||
        diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    // The parser may stumble over one character several times.
    std::string message = diagnostic.str();
    std::string place = llvm::utostr(*offset) + message;
    if (place == last)
      return success();
    last = place;
    std::string better = explained({text, *offset, context}, message);
    if (better.empty())
      return failure();
    isExplaining = true;
    InFlightDiagnostic error = emitError(diagnostic.getLocation(), better);
    for (const Diagnostic &note : diagnostic.getNotes())
      if (!StringRef(note.str()).starts_with("Available dialects"))
        error.attachNote(note.getLocation()) << note.str();
    error.report();
    isExplaining = false;
    return success();
  });
  return parseSourceFile<ModuleOp>(manager, context);
}
