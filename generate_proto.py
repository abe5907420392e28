"""Write the protobuf and gRPC bindings of the gateway contract.

    python generate_proto.py                            from protos/, the contract as this project knows it
    python generate_proto.py --proto-dir DIR            from a gateway's own .proto files
    python generate_proto.py --descriptor-set FILE      from a gateway's own descriptor set (.protoset)
    python generate_proto.py --check                    say which bindings differ from their source, write nothing

Every source takes one way: it becomes a descriptor set, of which the two contract files and what they import are kept
under the names that the package uses, without comments and language options. So a ``.proto`` file and a descriptor set
that say the same give the same bytes. The gateway's other files (its worker protocol, for one) are left out.

Needs grpcio-tools and nothing else; its release decides which grpcio and protobuf the bindings demand at import, see
docs/decisions/0001-binding-floors.md. Exit codes: 0 done or up to date, 1 ``--check`` found a difference, 2 could not
do it (one line on stderr says why).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
        FileDescriptorSet,
        MethodDescriptorProto,
        ServiceDescriptorProto,
    )

TOOLS_VERSION = "1.76.0"
"""The grpcio-tools release that writes the checked-in bindings."""

CONTRACT_FILES = {
    "mxaccess_gateway.v1": "mxaccess_gateway.proto",
    "galaxy_repository.v1": "galaxy_repository.proto",
}
"""The two protobuf packages of the contract, and the file name that each one's bindings are made under."""

BINDINGS_PACKAGE = "zb_mom_ww_mxgateway/generated"
WELL_KNOWN = "google/protobuf/"

ROOT = Path(__file__).resolve().parent
DEFAULT_PROTO_DIR = ROOT / "protos"
DEFAULT_OUTPUT = ROOT / "src" / BINDINGS_PACKAGE

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


class GenerationError(Exception):
    """The bindings cannot be made or compared; the text is one line for the user."""


class Difference(NamedTuple):
    """One file of the output that is not as the source would have it."""

    name: str
    reason: str


# ---------------------------------------------------------------------------------------------------------------------
# Sources: .proto files or a descriptor set
# ---------------------------------------------------------------------------------------------------------------------


def installed_tools_version() -> str | None:
    """Return the installed grpcio-tools release, None where there is none."""
    try:
        return metadata.version("grpcio-tools")
    except metadata.PackageNotFoundError:
        return None


def run_protoc(arguments: Iterable[str], cwd: Path) -> None:
    """Run the protoc of grpcio-tools, which brings the well-known types along.

    Paths are given relative to ``cwd`` where protoc would split them at a colon. ``-P`` keeps ``cwd`` off the module
    search path.

    Raises:
        GenerationError: protoc refused; carries its first complaint.
    """
    command = [sys.executable, "-P", "-m", "grpc_tools.protoc", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)  # noqa: S603  (our own arguments)
    if done.returncode:
        text = done.stderr.decode("utf-8", errors="replace")
        complaints = [line.strip() for line in text.splitlines() if line.strip() and ": warning: " not in line]
        more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
        raise GenerationError(f"protoc: {complaints[0] if complaints else f'exit code {done.returncode}'}{more}")


def find_contract_files(directory: Path) -> list[Path]:
    """Return the contract's files under ``directory``, relative to it, found by the package that they declare.

    Raises:
        GenerationError: no such directory, a package that no file declares, or one that differing files declare.
    """
    if not directory.is_dir():
        raise GenerationError(f"{directory}: no such directory")
    declared: dict[str, list[Path]] = {package: [] for package in CONTRACT_FILES}
    for path in sorted(directory.rglob("*.proto"), key=lambda path: (len(path.parts), path)):
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        match = _PACKAGE.search(_COMMENT.sub("", text))
        if match and match[1] in declared:
            declared[match[1]].append(path.relative_to(directory))
    for package, paths in declared.items():
        if not paths:
            raise GenerationError(f"{directory}: no .proto file here declares package {package}")
        contents = {(directory / path).read_bytes().replace(b"\r\n", b"\n") for path in paths}
        if len(contents) > 1:
            names = ", ".join(path.as_posix() for path in paths)
            raise GenerationError(f"{directory}: differing files declare package {package}: {names}; name one folder")
    return [paths[0] for paths in declared.values()]


def compile_sources(directory: Path, scratch: Path) -> FileDescriptorSet:
    """Compile the contract's ``.proto`` files under ``directory``, and what they import, to a descriptor set.

    Imports may be written relative to the importing file's folder or to any folder between it and ``directory``; both
    orders of search are tried, so that no file is read under two names.
    """
    files = find_contract_files(directory)
    nested = {parent.as_posix(): None for file in files for parent in file.parents}
    nearest_first = sorted(nested, key=lambda root: -len(PurePosixPath(root).parts))
    target = scratch / "sources.protoset"
    arguments = ["--include_imports", f"--descriptor_set_out={target}", *(file.as_posix() for file in files)]
    first_refusal: GenerationError | None = None
    for roots in (nearest_first, nearest_first[::-1]):
        try:
            run_protoc([f"-I{root}" for root in roots] + arguments, cwd=directory)
        except GenerationError as refusal:
            first_refusal = first_refusal or refusal
        else:
            return read_descriptor_set(target)
    raise GenerationError(f"{directory}: {first_refusal}") from first_refusal


def read_descriptor_set(path: Path) -> FileDescriptorSet:
    """Read a binary ``FileDescriptorSet``.

    Raises:
        GenerationError: the file is missing or is no descriptor set.
    """
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.message import DecodeError

    if not path.is_file():
        raise GenerationError(f"{path}: no such file")
    try:
        return FileDescriptorSet.FromString(path.read_bytes())
    except DecodeError as error:
        raise GenerationError(f"{path}: not a binary descriptor set ({error})") from error


# ---------------------------------------------------------------------------------------------------------------------
# The contract: what is kept of a source, under the package's names
# ---------------------------------------------------------------------------------------------------------------------


def contract_of(source: FileDescriptorSet, origin: Path) -> FileDescriptorSet:
    """Return the two contract files of ``source`` and their imports, named and trimmed for the bindings.

    Well-known types are left out: protoc takes its own. Source info, file options, and JSON names that protoc would
    derive anyway are dropped, because they depend on who wrote the descriptor set.

    Raises:
        GenerationError: a package or an imported file is missing, or names clash.
    """
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    by_name = {file.name: file for file in source.file}
    renamed: dict[str, str] = {}
    for package, file_name in CONTRACT_FILES.items():
        declaring = [file.name for file in source.file if file.package == package]
        if not declaring:
            raise GenerationError(f"{origin}: no file in this descriptor set declares package {package}")
        if len(declaring) > 1:
            raise GenerationError(f"{origin}: several files declare package {package}: {', '.join(declaring)}")
        renamed[declaring[0]] = f"{BINDINGS_PACKAGE}/{file_name}"

    pending = list(renamed)
    while pending:
        name = pending.pop()
        for imported in by_name[name].dependency:
            if imported in renamed or imported.startswith(WELL_KNOWN):
                continue
            if imported not in by_name:
                raise GenerationError(f"{origin}: {name} imports {imported}, which is missing here")
            renamed[imported] = f"{BINDINGS_PACKAGE}/{PurePosixPath(imported).name}"
            pending.append(imported)
    if len(set(renamed.values())) < len(renamed):
        raise GenerationError(f"{origin}: imported files clash once they share a folder: {', '.join(sorted(renamed))}")

    contract = FileDescriptorSet()
    for name in sorted(renamed, key=renamed.__getitem__):
        file = contract.file.add()
        file.CopyFrom(by_name[name])
        file.name = renamed[name]
        file.dependency[:] = [renamed.get(imported, imported) for imported in file.dependency]
        _trim(file)
    return contract


def _trim(file: FileDescriptorProto) -> None:
    """Drop from ``file`` what does not reach the wire and differs between writers of descriptor sets."""
    from google.protobuf.descriptor_pb2 import FeatureSet

    features = FeatureSet()
    features.CopyFrom(file.options.features)
    file.ClearField("source_code_info")
    file.ClearField("options")
    if features.ByteSize():  # an edition's features do change the wire
        file.options.features.CopyFrom(features)
    file.DiscardUnknownFields()  # custom options
    _drop_derived_json_names(file.extension)
    for message in file.message_type:
        _trim_message(message)


def _trim_message(message: DescriptorProto) -> None:
    _drop_derived_json_names(message.field)
    _drop_derived_json_names(message.extension)
    for nested in message.nested_type:
        _trim_message(nested)


def _drop_derived_json_names(fields: Iterable[FieldDescriptorProto]) -> None:
    for field in fields:
        first, *rest = field.name.split("_")
        if field.json_name == first + "".join(part[:1].upper() + part[1:] for part in rest):
            field.ClearField("json_name")


# ---------------------------------------------------------------------------------------------------------------------
# The bindings
# ---------------------------------------------------------------------------------------------------------------------


def render(contract: FileDescriptorSet, scratch: Path) -> dict[str, bytes]:
    """Return the bindings of ``contract`` as file name -> content."""
    (scratch / "contract.protoset").write_bytes(contract.SerializeToString(deterministic=True))
    (scratch / "out").mkdir()
    outputs = [f"--{kind}_out=out" for kind in ("python", "pyi", "grpc_python")]
    run_protoc(["--descriptor_set_in=contract.protoset", *outputs, *(file.name for file in contract.file)], cwd=scratch)
    files = {path.name: path.read_bytes() for path in (scratch / "out" / BINDINGS_PACKAGE).iterdir()}
    for file in contract.file:
        if file.service:
            files[f"{PurePosixPath(file.name).stem}_pb2_grpc.pyi"] = _grpc_types(file, contract).encode()
    return files


def _grpc_types(file: FileDescriptorProto, contract: FileDescriptorSet) -> str:
    """Return the types of a ``*_pb2_grpc`` module, which protoc writes without any.

    A stub made over a ``grpc.aio`` channel is typed as the ``…AsyncStub``, a name that exists for type checkers only.
    Servicer methods take and return Any, because a servicer may be written with or without asyncio.
    """
    python_types = {
        f".{owner.package}.{message.name}": f"{PurePosixPath(owner.name).stem}_pb2.{message.name}"
        for owner in contract.file
        for message in owner.message_type
    }
    lines: list[str] = []
    for service in file.service:
        lines += _service_types(service, python_types)
    text = "\n".join(lines)
    modules = sorted(name for name in {used.split(".")[0] for used in python_types.values()} if f"{name}." in text)
    return "\n".join(
        [
            '"""Types of the module of the same name; written by generate_proto.py, never edited."""',
            "from typing import Any, Self, overload, type_check_only",
            "",
            "import grpc",
            "import grpc.aio",
            "",
            f"from {BINDINGS_PACKAGE.replace('/', '.')} import {', '.join(modules)}" if modules else "",
            "",
            "GRPC_GENERATED_VERSION: str",
            "GRPC_VERSION: str",
            text,
            "",
        ]
    )


def _service_types(service: ServiceDescriptorProto, python_types: dict[str, str]) -> list[str]:
    name = service.name

    def callable_of(method: MethodDescriptorProto) -> str:
        kind = "".join("Stream" if side else "Unary" for side in (method.client_streaming, method.server_streaming))
        request, reply = (python_types.get(side, "Any") for side in (method.input_type, method.output_type))
        return f"{kind}MultiCallable[{request}, {reply}]"

    def request_of(method: MethodDescriptorProto) -> str:
        if method.client_streaming:
            return "request_iterator: Any"
        return f"request: {python_types.get(method.input_type, 'Any')}"

    return [
        "",
        f"class {name}Stub:",
        "    @overload",
        "    def __new__(cls, channel: grpc.Channel) -> Self: ...",
        "    @overload",
        f"    def __new__(cls, channel: grpc.aio.Channel) -> {name}AsyncStub: ...",
        *(f"    {method.name}: grpc.{callable_of(method)}" for method in service.method),
        "",
        "@type_check_only",
        f"class {name}AsyncStub({name}Stub):",
        "    def __new__(cls, channel: grpc.aio.Channel) -> Self: ...",
        *(f"    {m.name}: grpc.aio.{callable_of(m)}  # type: ignore[assignment]" for m in service.method),
        "",
        f"class {name}Servicer:",
        *(f"    def {m.name}(self, {request_of(m)}, context: Any) -> Any: ..." for m in service.method),
        "",
        f"def add_{name}Servicer_to_server(",
        f"    servicer: {name}Servicer, server: grpc.Server | grpc.aio.Server",
        ") -> None: ...",
    ]


def _existing_bindings(output: Path) -> set[str]:
    return {path.name for pattern in ("*_pb2*.py", "*_pb2*.pyi") for path in output.glob(pattern)}


def write(files: dict[str, bytes], output: Path) -> list[str]:
    """Put ``files`` into ``output``, remove bindings that no longer belong there, return the names that changed.

    Each file is replaced whole, so that an import never meets half of one.
    """
    output.mkdir(parents=True, exist_ok=True)
    changed = []
    for difference in differences(files, output):
        changed.append(difference.name)
        target = output / difference.name
        if difference.name in files:
            draft = target.with_name(f"{difference.name}.{os.getpid()}.tmp")
            draft.write_bytes(files[difference.name])
            draft.replace(target)
        else:
            target.unlink()
    return changed


def differences(files: dict[str, bytes], output: Path) -> list[Difference]:
    """Return what keeps ``output`` from being exactly ``files``; line endings do not count."""
    found = []
    existing = _existing_bindings(output)
    for name in sorted(existing | files.keys()):
        if name not in existing:
            found.append(Difference(name, "missing"))
        elif name not in files:
            found.append(Difference(name, "surplus: the source has no such file"))
        elif (output / name).read_bytes().replace(b"\r\n", b"\n") != files[name].replace(b"\r\n", b"\n"):
            found.append(Difference(name, "stale: it differs from what the source gives"))
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="generate_proto.py", description="Write the protobuf and gRPC bindings of the gateway contract."
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--proto-dir", type=Path, metavar="DIR", help="a gateway's own .proto files (default: protos/ of this project)"
    )
    source.add_argument(
        "--descriptor-set", type=Path, metavar="FILE", help="a gateway's binary descriptor set (.protoset)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; name each file that is stale, missing or surplus"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_OUTPUT,
        metavar="DIR",
        help="where the bindings are (default: the generated/ folder of this checkout)",
    )
    return parser


def _require_tools(*, check: bool) -> None:
    """Refuse without grpcio-tools; with another release than the pinned one refuse to check, and warn otherwise."""
    installed = installed_tools_version()
    if installed is None:
        raise GenerationError(
            f"grpcio-tools is not installed; run: python -m pip install grpcio-tools=={TOOLS_VERSION}"
        )
    if installed == TOOLS_VERSION:
        return
    if check:
        raise GenerationError(
            f"--check needs grpcio-tools {TOOLS_VERSION}, which wrote the bindings; {installed} is installed and "
            "writes other text for the same contract, so a comparison would mean nothing"
        )
    print(
        f"generate_proto.py: warning: grpcio-tools {installed} is installed, the checked-in bindings are written with "
        f"{TOOLS_VERSION}; the floors of grpcio and protobuf in pyproject.toml no longer hold for what this writes",
        file=sys.stderr,
    )


def _render_from(options: argparse.Namespace) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="generate-proto-") as name:
        scratch = Path(name)
        if options.descriptor_set is not None:
            origin = options.descriptor_set.resolve()
            source = read_descriptor_set(origin)
        else:
            origin = (options.proto_dir or DEFAULT_PROTO_DIR).resolve()
            source = compile_sources(origin, scratch)
        return render(contract_of(source, origin), scratch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _require_tools(check=options.check)
        files = _render_from(options)
        if options.check:
            found = differences(files, options.output)
            for difference in found:
                print(difference.name)
                print(f"generate_proto.py: {difference.name}: {difference.reason}", file=sys.stderr)
            return 1 if found else 0
        changed = write(files, options.output)
    except (GenerationError, OSError, ImportError) as error:
        print(f"generate_proto.py: error: {error}", file=sys.stderr)
        return 2
    print(f"{options.output}: {len(files)} files, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
