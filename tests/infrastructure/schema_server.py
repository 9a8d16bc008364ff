"""The schema of Google's provider as terraform asks for it, so that terraform itself checks our modules without Google.

``serving()`` starts a server that speaks as much of terraform's plugin protocol 6 as `terraform validate`, and
`terraform test` with mocked resources, use: it returns the recorded schema, and accepts what fits it. Terraform does
the rest: unknown and missing arguments, types, references, conditions, and the evaluation of all expressions.
"""

from __future__ import annotations

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Iterator

import grpc

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "google_schema.json").read_text(encoding="utf-8"))
SERVICE = "tfplugin6.Provider"
ADDRESS = "registry.terraform.io/hashicorp/google"
# Answers without a field mean that all is well.
ACCEPTED = ("ValidateProviderConfig", "ValidateResourceConfig", "ValidateDataResourceConfig", "ConfigureProvider")
NESTING = {"list": 2, "set": 3}


def varint(number: int) -> bytes:
    """Return a number as protocol buffers write it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value: bytes | str | int) -> bytes:
    """Return a field of a message: a length and its bytes, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def block_message(block: dict[str, Any]) -> bytes:
    """Return the message ``Schema.Block``."""
    out = b""
    for name, (kind, how) in block["attributes"].items():
        modes = {"required": 4, "optional": 5, "computed": 6}
        out += field(2, field(1, name) + field(2, json.dumps(kind)) + field(modes[how], 1))
    for name, inner in block["blocks"].items():
        message = field(1, name) + field(2, block_message(inner)) + field(3, NESTING[inner["nesting"]])
        if inner["required"]:
            message += field(4, 1)
        if not inner["many"]:
            message += field(5, 1)
        out += field(3, message)
    return out


def schema_answer() -> bytes:
    """Return the message ``GetProviderSchema.Response``."""
    provider = {"attributes": {"project": ["string", "optional"], "region": ["string", "optional"]}, "blocks": {}}
    out = field(1, field(2, block_message(provider)))
    for number, kind in ((2, "resource"), (3, "data")):
        for name, block in SCHEMA[kind].items():
            out += field(number, field(1, name) + field(2, field(2, block_message(block))))
    return out


class Provider:
    """Answers calls by the last part of their names; others are not implemented."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return what answers a call."""
        service, _, method = details.method.lstrip("/").partition("/")
        if service != SERVICE:
            return None
        if method == "GetProviderSchema":
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: schema_answer())
        if method in (*ACCEPTED, "StopProvider"):
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
        return None


@contextlib.contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Run the server, and yield the variable that makes terraform use it instead of a program of its own."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Provider()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: plugin})}
    finally:
        server.stop(None)
