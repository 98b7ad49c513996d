# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the JSON on standard input against a schema: validate.py SCHEMA.json

Knows the part of JSON Schema that docs/report.schema.json uses; a schema that
uses more is an error, so that nothing passes unseen.
"""

import json
import sys

COMMENTS = {"$schema", "$defs", "title", "description"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def faults(value, schema, root, path):
    unknown = set(schema) - COMMENTS - {
        "type", "required", "properties", "additionalProperties", "items", "enum", "const", "minimum", "$ref"}
    if unknown:
        raise SystemExit(f"the schema uses {unknown}")
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, path)
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool)):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not allowed"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value!r} is less than {schema['minimum']}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{path}: no '{name}'"
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            if inner is False:
                yield f"{path}: unknown member '{name}'"
            else:
                yield from faults(member, inner, root, f"{path}.{name}")
    for i, item in enumerate(value if isinstance(value, list) else []):
        yield from faults(item, schema.get("items", {}), root, f"{path}[{i}]")


with open(sys.argv[1]) as file:
    schema = json.load(file)
found = list(faults(json.load(sys.stdin), schema, schema, "report"))
print("\n".join(found) or "valid")
sys.exit(1 if found else 0)
