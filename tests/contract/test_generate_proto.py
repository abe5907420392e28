"""generate_proto.py: one way from every source to the bindings, and one clear line when there is none."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contract.numbers_table import PROTO_DIR
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc, mxaccess_gateway_pb2_grpc

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = PROTO_DIR.parent / "generate_proto.py"
GENERATED = PROTO_DIR.parent / "src" / "zb_mom_ww_mxgateway" / "generated"
NAMES = ["mxaccess_gateway.proto", "galaxy_repository.proto"]
Run = Callable[..., tuple[int, list[str], str]]
BINDINGS = sorted(
    f"{stem}_{ending}"
    for stem in ("galaxy_repository", "mxaccess_gateway")
    for ending in ("pb2.py", "pb2.pyi", "pb2_grpc.py", "pb2_grpc.pyi")
)


@pytest.fixture
def bindings(tmp_path: Path) -> Path:
    """A copy of the checked-in bindings, free to be spoilt."""
    return Path(shutil.copytree(GENERATED, tmp_path / "generated", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def protos(tmp_path: Path) -> Path:
    """A copy of the contract files, free to be changed."""
    return Path(shutil.copytree(PROTO_DIR, tmp_path / "gateway protos"))


@pytest.fixture
def run(generate_proto: ModuleType, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; gives the exit code, the lines of stdout, and stderr."""

    def run_command(*arguments: object) -> tuple[int, list[str], str]:
        code = generate_proto.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err

    return run_command


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def compile_set(generate_proto: ModuleType, protos: Path, *options: str, prefix: str = "") -> FileDescriptorSet:
    """A descriptor set of the contract files, as protoc writes it; file names get ``prefix``."""
    target = protos.parent / "compiled.protoset"
    generate_proto.run_protoc(["-I.", *options, f"--descriptor_set_out={target}", *NAMES], cwd=protos)
    found = FileDescriptorSet.FromString(target.read_bytes())
    for file in found.file:
        if file.name in NAMES:
            file.name = prefix + file.name
    return found


def import_bindings(folder: Path, code: str) -> str:
    """Run ``code`` against the bindings in ``folder`` as a package of their own; gives what it printed.

    A fresh interpreter, because the protobuf packages can be registered once per process.
    """
    site = folder.parent / "site"
    package = site / "zb_mom_ww_mxgateway"
    shutil.copytree(folder, package / "generated")
    for folder_of_package in (package, package / "generated"):
        (folder_of_package / "__init__.py").write_text("", encoding="utf-8")
    program = f"import sys\nsys.path.insert(0, {str(site)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- Checking -------------------------------------------------------------------------------------------------------


def test_checked_in_bindings_are_those_of_the_contract_files(run: Run) -> None:
    assert run("--check") == (0, [], "")


def test_bindings_are_complete() -> None:
    assert sorted(path.name for path in GENERATED.glob("*_pb2*")) == BINDINGS


def test_check_names_what_differs(run: Run, bindings: Path) -> None:
    stale, missing, surplus = "mxaccess_gateway_pb2.py", "galaxy_repository_pb2.pyi", "mxaccess_worker_pb2.py"
    with (bindings / stale).open("a", encoding="utf-8") as file:
        file.write("# edited by hand\n")
    (bindings / missing).unlink()
    (bindings / surplus).write_text("", encoding="utf-8")

    code, names, reasons = run("--check", "--output", bindings)

    assert (code, names) == (1, [missing, stale, surplus])
    assert [line.split(": ")[1:3] for line in reasons.splitlines()] == [
        [missing, "missing"],
        [stale, "stale"],
        [surplus, "surplus"],
    ]
    assert (bindings / surplus).exists(), "--check writes nothing"


def test_check_of_an_absent_output_names_every_file(run: Run, tmp_path: Path) -> None:
    code, names, _ = run("--check", "--output", tmp_path / "nowhere")
    assert (code, names) == (1, BINDINGS)
    assert not (tmp_path / "nowhere").exists()


def test_line_endings_of_a_windows_checkout_are_no_difference(run: Run, bindings: Path) -> None:
    for path in bindings.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run("--check", "--output", bindings)[0] == 0


def test_check_compares_with_a_gateway_s_own_files(run: Run, protos: Path) -> None:
    change(protos / "mxaccess_gateway.proto", "  string raw_status = 13;", "  string raw_status = 15;")
    code, names, _ = run("--check", "--proto-dir", protos)
    assert (code, names) == (1, ["mxaccess_gateway_pb2.py"])


# ---- Writing --------------------------------------------------------------------------------------------------------


def test_regenerating_mends_the_output_and_keeps_what_is_not_generated(run: Run, bindings: Path) -> None:
    (bindings / "mxaccess_gateway_pb2.py").write_text("raise ImportError\n", encoding="utf-8")
    (bindings / "galaxy_repository_pb2.pyi").unlink()
    (bindings / "mxaccess_worker_pb2.py").write_text("", encoding="utf-8")
    (bindings / "__init__.py").write_text("# ours\n", encoding="utf-8")

    code, lines, errors = run("--output", bindings)

    assert (code, lines, errors) == (0, [f"{bindings}: 8 files, 3 changed"], "")
    assert (bindings / "__init__.py").read_text(encoding="utf-8") == "# ours\n"
    assert sorted(path.name for path in bindings.iterdir()) == ["__init__.py", *BINDINGS]
    assert run("--check", "--output", bindings)[0] == 0


def test_up_to_date_files_are_left_alone(run: Run, bindings: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in bindings.iterdir()}
    assert run("--output", bindings)[1] == [f"{bindings}: 8 files, 0 changed"]
    assert {path: path.stat().st_mtime_ns for path in bindings.iterdir()} == before


def test_bindings_can_be_imported_as_the_subpackage_they_are(bindings: Path) -> None:
    program = (
        "from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2, mxaccess_gateway_pb2_grpc\n"
        "from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc\n"
        "print(mxaccess_gateway_pb2.__file__)\n"
        "print(mxaccess_gateway_pb2.DESCRIPTOR.name)\n"
    )
    file, name = import_bindings(bindings, program).splitlines()
    assert Path(file).is_relative_to(bindings.parent)
    assert name == "zb_mom_ww_mxgateway/generated/mxaccess_gateway.proto"


# ---- Descriptor sets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "Protos/", "zb_mom_ww_mxgateway/generated/"])
@pytest.mark.parametrize(
    "options",
    [(), ("--include_imports",), ("--include_source_info",), ("--include_imports", "--include_source_info")],
    ids=["bare", "imports", "source-info", "imports-and-source-info"],
)
def test_a_descriptor_set_gives_the_same_bytes(
    run: Run, generate_proto: ModuleType, protos: Path, options: tuple[str, ...], prefix: str
) -> None:
    file = protos.parent / "client.protoset"
    file.write_bytes(compile_set(generate_proto, protos, *options, prefix=prefix).SerializeToString())
    assert run("--check", "--descriptor-set", file) == (0, [], "")


def test_who_wrote_a_descriptor_set_does_not_show(run: Run, generate_proto: ModuleType, protos: Path) -> None:
    found = compile_set(generate_proto, protos)
    for file in found.file:
        file.options.csharp_namespace = "ZB.MOM.WW.MxGateway.Contracts.Proto"
        file.options.optimize_for = file.options.CODE_SIZE
        for message in file.message_type:
            for field in message.field:
                field.ClearField("json_name")
    worker = found.file.add(name="mxaccess_worker.proto", package="mxaccess_worker.v1", syntax="proto3")
    worker.dependency.append("mxaccess_gateway.proto")
    path = protos.parent / "client.protoset"
    path.write_bytes(found.SerializeToString())
    assert run("--check", "--descriptor-set", path) == (0, [], "")


def test_a_json_name_of_its_own_is_kept(generate_proto: ModuleType, protos: Path) -> None:
    change(protos / "galaxy_repository.proto", "  bool ok = 1;", '  bool ok = 1 [json_name = "fine"];')
    contract = generate_proto.contract_of(compile_set(generate_proto, protos), protos)
    galaxy = next(file for file in contract.file if file.package == "galaxy_repository.v1")
    named = [field for message in galaxy.message_type for field in message.field if field.json_name]
    assert [(field.name, field.json_name) for field in named] == [("ok", "fine")]


# ---- A gateway's own .proto files -----------------------------------------------------------------------------------


def test_files_in_a_sub_folder_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "MxGateway.Contracts" / "Protos"
    shutil.copytree(PROTO_DIR, folder)
    assert run("--check", "--proto-dir", tmp_path) == (0, [], "")


def test_files_are_found_by_their_package(run: Run, protos: Path) -> None:
    (protos / "mxaccess_gateway.proto").rename(protos / "Gateway.proto")
    (protos / "galaxy").mkdir()
    (protos / "galaxy_repository.proto").rename(protos / "galaxy" / "repository.proto")
    assert run("--check", "--proto-dir", protos) == (0, [], "")


def test_windows_text_and_language_options_do_not_show(run: Run, protos: Path) -> None:
    for name in NAMES:
        text = (protos / name).read_text(encoding="utf-8")
        text = text.replace("\nservice ", '\noption csharp_namespace = "MxGateway.Contracts";\nservice ')
        (protos / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert run("--check", "--proto-dir", protos) == (0, [], "")


def test_other_files_and_copies_are_ignored(run: Run, protos: Path) -> None:
    (protos / "mxaccess_worker.proto").write_text(
        'syntax = "proto3";\n// package mxaccess_gateway.v1;\npackage mxaccess_worker.v1;\nimport "lost.proto";\n',
        encoding="utf-8",
    )
    shutil.copytree(PROTO_DIR, protos / "bin" / "Protos")
    shutil.copytree(PROTO_DIR, protos / "google" / "protobuf")
    assert run("--check", "--proto-dir", protos) == (0, [], "")


def test_a_corrected_number_reaches_the_bindings(run: Run, protos: Path, bindings: Path) -> None:
    change(protos / "mxaccess_gateway.proto", "  string raw_status = 13;", "  string raw_status = 113;")

    code, lines, _ = run("--proto-dir", protos, "--output", bindings)

    assert (code, lines) == (0, [f"{bindings}: 8 files, 1 changed"])
    program = (
        "from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as gateway, mxaccess_gateway_pb2_grpc\n"
        "print(gateway.MxEvent.RAW_STATUS_FIELD_NUMBER, gateway.MxEvent(raw_status='x').SerializeToString().hex())"
    )
    assert import_bindings(bindings, program) == "113 8a070178"


def test_more_and_fewer_messages_are_welcome(run: Run, protos: Path, bindings: Path) -> None:
    change(
        protos / "galaxy_repository.proto",
        "  rpc TestConnection(TestConnectionRequest) returns (TestConnectionReply);",
        "  rpc Upload(stream Blob) returns (stream Blob);\n  rpc Stop(Blob) returns (google.protobuf.Timestamp);",
    )
    change(protos / "galaxy_repository.proto", "message TestConnectionReply {\n  bool ok = 1;\n}", "message Blob {}")
    assert run("--proto-dir", protos, "--output", bindings)[0] == 0
    program = (
        "from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, galaxy_repository_pb2_grpc as rpc\n"
        "print(hasattr(galaxy, 'Blob'), hasattr(galaxy, 'TestConnectionReply'))\n"
        "print(hasattr(rpc.GalaxyRepositoryServicer, 'Upload'))"
    )
    assert import_bindings(bindings, program).split() == ["True", "False", "True"]
    types = (bindings / "galaxy_repository_pb2_grpc.pyi").read_text(encoding="utf-8")
    ast.parse(types)
    blob = "galaxy_repository_pb2.Blob"
    assert f"    Upload: grpc.StreamStreamMultiCallable[{blob}, {blob}]\n" in types
    assert f"    Stop: grpc.UnaryUnaryMultiCallable[{blob}, Any]\n" in types


@pytest.mark.parametrize("imported_as", ["shared.proto", "common/shared.proto"])
def test_imported_files_come_along(run: Run, protos: Path, bindings: Path, imported_as: str) -> None:
    (protos / imported_as).parent.mkdir(exist_ok=True)
    (protos / imported_as).write_text(
        'syntax = "proto3";\npackage shared.v1;\nmessage Extra { int32 number = 7; }\n', encoding="utf-8"
    )
    for name in NAMES:
        change(protos / name, "\nservice ", f'\nimport "{imported_as}";\n\nservice ')
    change(protos / "galaxy_repository.proto", "  bool ok = 1;", "  bool ok = 1;\n  shared.v1.Extra extra = 2;")

    code, names, _ = run("--check", "--proto-dir", protos)
    assert code == 1
    assert {"shared_pb2.py", "shared_pb2.pyi"} < set(names)

    assert run("--proto-dir", protos, "--output", bindings)[0] == 0
    program = (
        "from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, shared_pb2\n"
        "print(galaxy.TestConnectionReply(extra=shared_pb2.Extra(number=3)).extra.number)"
    )
    assert import_bindings(bindings, program) == "3"
    assert "shared_pb2.py" in run("--check", "--output", bindings)[1], "surplus once the contract does not import it"


# ---- Types of the services ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [mxaccess_gateway_pb2_grpc, galaxy_repository_pb2_grpc], ids=lambda m: m.__name__)
def test_types_name_what_the_module_has(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    servicers = [name for name in classes if name.endswith("Servicer")]
    assert servicers == [name for name in vars(module) if name.endswith("Servicer")]
    for name in servicers:
        service = name.removesuffix("Servicer")
        methods = [node.name for node in classes[name].body if isinstance(node, ast.FunctionDef)]
        assert methods == [method for method in vars(getattr(module, name)) if not method.startswith("_")]
        for stub in (f"{service}Stub", f"{service}AsyncStub"):
            typed = [node.target.id for node in classes[stub].body if isinstance(node, ast.AnnAssign)]  # type: ignore[union-attr]
            assert typed == methods
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions == [name for name in vars(module) if name.startswith("add_")]


# ---- Refusals -------------------------------------------------------------------------------------------------------


def refusal(result: tuple[int, list[str], str]) -> str:
    """The one line of a refused run."""
    code, out, errors = result
    assert (code, out) == (2, [])
    assert errors.count("\n") == 1
    return errors.removeprefix("generate_proto.py: error: ").rstrip("\n")


def test_a_missing_folder_is_named(run: Run, tmp_path: Path) -> None:
    assert refusal(run("--proto-dir", tmp_path / "lost")) == f"{tmp_path / 'lost'}: no such directory"


@pytest.mark.parametrize(("kept", "package"), [(NAMES[0], "galaxy_repository.v1"), (NAMES[1], "mxaccess_gateway.v1")])
def test_a_folder_without_one_of_the_packages(run: Run, tmp_path: Path, kept: str, package: str) -> None:
    shutil.copy(PROTO_DIR / kept, tmp_path)
    assert refusal(run("--proto-dir", tmp_path)) == f"{tmp_path}: no .proto file here declares package {package}"


def test_two_generations_of_one_package(run: Run, protos: Path) -> None:
    (protos / "old").mkdir()
    (protos / "old" / NAMES[1]).write_text('syntax = "proto3";\npackage galaxy_repository.v1;\n', encoding="utf-8")
    text = refusal(run("--proto-dir", protos))
    assert "differing files declare package galaxy_repository.v1" in text
    assert "galaxy_repository.proto, old/galaxy_repository.proto" in text


def test_a_file_that_protoc_refuses(run: Run, protos: Path, bindings: Path) -> None:
    change(protos / NAMES[0], "  string raw_status = 13;", "  string raw_status = thirteen;")
    text = refusal(run("--proto-dir", protos, "--output", bindings))
    assert text.startswith(f"{protos}: protoc: mxaccess_gateway.proto:")
    assert "Expected field number" in text
    assert (bindings / "mxaccess_gateway_pb2.py").read_bytes() == (GENERATED / "mxaccess_gateway_pb2.py").read_bytes()


def test_an_import_that_is_missing(run: Run, protos: Path) -> None:
    change(protos / NAMES[1], "\nservice ", '\nimport "lost.proto";\n\nservice ')
    assert "lost.proto: File not found" in refusal(run("--proto-dir", protos))


def test_a_missing_descriptor_set_is_named(run: Run, tmp_path: Path) -> None:
    assert refusal(run("--descriptor-set", tmp_path / "lost.protoset")).endswith("lost.protoset: no such file")


def test_something_else_than_a_descriptor_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "client.protoset").write_bytes(b"<!DOCTYPE html>\n")
    assert "client.protoset: not a binary descriptor set" in refusal(
        run("--descriptor-set", tmp_path / "client.protoset")
    )


@pytest.mark.parametrize("index", [0, 1])
def test_a_descriptor_set_without_one_of_the_packages(
    run: Run, generate_proto: ModuleType, protos: Path, index: int
) -> None:
    found = compile_set(generate_proto, protos)
    package = found.file.pop(index).package
    path = protos.parent / "half.protoset"
    path.write_bytes(found.SerializeToString())
    expected = f"{path}: no file in this descriptor set declares package {package}"
    assert refusal(run("--descriptor-set", path)) == expected


def test_a_descriptor_set_without_a_file_that_it_imports(run: Run, generate_proto: ModuleType, protos: Path) -> None:
    found = compile_set(generate_proto, protos)
    found.file[0].dependency.append("shared.proto")
    path = protos.parent / "half.protoset"
    path.write_bytes(found.SerializeToString())
    assert "imports shared.proto, which is missing here" in refusal(run("--descriptor-set", path))


def test_a_descriptor_set_with_a_package_in_two_files(run: Run, generate_proto: ModuleType, protos: Path) -> None:
    found = compile_set(generate_proto, protos)
    found.file.add(name="more.proto", package="mxaccess_gateway.v1")
    path = protos.parent / "double.protoset"
    path.write_bytes(found.SerializeToString())
    assert "several files declare package mxaccess_gateway.v1" in refusal(run("--descriptor-set", path))


def test_imports_that_clash_in_one_folder(run: Run, generate_proto: ModuleType, protos: Path) -> None:
    found = compile_set(generate_proto, protos)
    for folder in ("a", "b"):
        found.file.add(name=f"{folder}/shared.proto", package=folder)
        found.file[0].dependency.append(f"{folder}/shared.proto")
    path = protos.parent / "clash.protoset"
    path.write_bytes(found.SerializeToString())
    assert "clash" in refusal(run("--descriptor-set", path))


def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert str(tmp_path / "file") in refusal(run("--output", tmp_path / "file" / "generated"))


def test_two_sources_at_once(generate_proto: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        generate_proto.main(["--proto-dir", "a", "--descriptor-set", "b"])
    assert stopped.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


# ---- The release of grpcio-tools ------------------------------------------------------------------------------------


def test_without_grpcio_tools(run: Run, generate_proto: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(distribution: str) -> str:
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "version", missing)
    for arguments in ([], ["--check"]):
        text = refusal(run(*arguments))
        assert text.startswith("grpcio-tools is not installed")
        assert text.endswith(f"grpcio-tools=={generate_proto.TOOLS_VERSION}")


def test_another_release_refuses_to_check(
    run: Run, generate_proto: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_proto, "installed_tools_version", lambda: "1.99.0")
    text = refusal(run("--check"))
    assert text.startswith(f"--check needs grpcio-tools {generate_proto.TOOLS_VERSION}")
    assert "1.99.0 is installed" in text


def test_another_release_writes_with_a_warning(
    run: Run, generate_proto: ModuleType, monkeypatch: pytest.MonkeyPatch, bindings: Path, protos: Path
) -> None:
    monkeypatch.setattr(generate_proto, "installed_tools_version", lambda: "1.99.0")
    code, _, errors = run("--proto-dir", protos, "--output", bindings)
    assert code == 0
    assert errors.startswith("generate_proto.py: warning: grpcio-tools 1.99.0 is installed")
    assert "pyproject.toml no longer hold" in errors


# ---- As a command ---------------------------------------------------------------------------------------------------


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(SCRIPT), *(str(argument) for argument in arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=cwd)


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    done = command("--check", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_relative_paths_are_those_of_the_caller(protos: Path, tmp_path: Path) -> None:
    done = command("--proto-dir", protos.name, "--output", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == BINDINGS


def test_a_refusal_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = command("--descriptor-set", "lost.protoset", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"generate_proto.py: error: {tmp_path / 'lost.protoset'}: no such file\n"
